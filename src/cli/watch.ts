import type { Command } from 'commander';
import type { Scope } from '../scope.ts';
import { EXIT } from './exit.ts';
import { logFor, pid, type TuneOptions, withCommon, withConfig, withJson, withTuning } from './options.ts';
import { onClosed, printEvent } from './output.ts';
import { openSession } from './session.ts';
import { untilSignal } from './signal.ts';

const STREAM = 'what happens to agents (attach, tune, revert, release, end), one document a line,';

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .description('the daemon: find agents, measure them, export; tune where the gate says so')
    .addHelpText(
      'after',
      `
Without --optimize-timer-slack (or a flag that says so) nothing is written to any process.

Examples:
  taut watch                                     measure every agent of this host
  taut watch --optimize-timer-slack              and set their timer slack to 1 ns, until taut ends
  taut watch --json | jq -c '{event, pid: .agent.pid}'
  taut watch --flags flags.json                  let a feature flag decide, also while it runs
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 taut watch`,
    );
  withJson(withTuning(withConfig(withCommon(command))), STREAM).action((options: TuneOptions) =>
    watch(options, { kind: 'host' }),
  );
}

export function addAttach(program: Command): void {
  const command = program
    .command('attach')
    .description('watch just these processes')
    .argument('<pid...>', 'process ids', (text: string, before: number[] = []) => [...before, pid(text)])
    .addHelpText('after', '\nExamples:\n  taut attach $(pidof claude)\n  taut attach 4711 --optimize-timer-slack=10us');
  withJson(withTuning(withConfig(withCommon(command))), STREAM).action((pids: number[], options: TuneOptions) =>
    watch(options, { kind: 'pids', pids: new Set(pids) }),
  );
}

async function watch(options: TuneOptions, scope: Scope): Promise<void> {
  const log = logFor(options);
  // SIGHUP has a daemon read its rules again.
  const ended = untilSignal(scope.kind === 'host' ? ['SIGTERM', 'SIGINT'] : ['SIGTERM', 'SIGINT', 'SIGHUP']);
  await using session = await openSession({ ...options, scope, ...(options.json && { onEvent: printEvent }) }, log);
  const idle = new Promise<void>((resolve) => {
    if (scope.kind !== 'pids') return;
    const check = () => session.watcher.agents().length === 0 && resolve();
    session.watcher.onChange(check);
    check();
  });
  // Who started it is gone, and its terminal or pipe with it.
  const closed = new Promise<void>((resolve) => onClosed(() => resolve()));
  const signal = await Promise.race([ended, idle, closed]);
  if (signal) log.info(`${signal}: putting everything back`);
  else log.info('no process is left to watch');
  if (session.missing.length > 0) process.exitCode = EXIT.failed;
}
