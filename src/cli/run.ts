import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { ProcHandle } from '../actuator/procHandle.ts';
import { CliError, EXIT } from './exit.ts';
import { Lifetime } from './lifetime.ts';
import { logFor, type TuneOptions, withCommon, withConfig, withTuning } from './options.ts';
import { openSession } from './session.ts';

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('start a command as an agent, and watch just it and what it starts; exits with its exit code')
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  taut run -- claude\n  taut run --optimize-timer-slack -- node my-agent.js --fast',
    );
  withTuning(withConfig(withCommon(command))).action(run);
}

/**
 * The command starts stopped, as a shell that becomes it: it is attached (and tuned) before its first instruction, under
 * the PID that it keeps.
 */
const HELD = ['-c', 'kill -STOP $$; exec "$@"', 'taut-run'];

async function run(command: string[], options: TuneOptions): Promise<void> {
  const log = logFor(options);
  const child = spawn('/bin/sh', [...HELD, ...command], { stdio: 'inherit' });
  const ended = exitOf(child);
  try {
    if (child.pid === undefined) throw new CliError('the command could not be started', EXIT.failed);
    await stopped(child.pid);
    // Asked to end, the command is asked first; what it does then is what we do.
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    process.on('SIGINT', () => {}); // the terminal sends it to the command as well
    const scope = { kind: 'tree', root: child.pid, command } as const;
    await using session = await openSession({ ...options, scope, lifetime: new Lifetime(log, 'end') }, log);
    child.kill('SIGCONT');
    process.exitCode = await ended;
    if (process.exitCode === 0 && session.missing.length > 0) process.exitCode = EXIT.failed;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Waits for the shell to have stopped itself. */
async function stopped(pid: number): Promise<void> {
  for (;;) {
    using handle = new ProcHandle(pid);
    const { state } = handle.stat();
    if (state === 'T') return;
    if (state === 'Z') throw new CliError('/bin/sh ended before the command began', EXIT.failed);
    await setTimeout(1);
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(EXIT.failed));
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
