import type { Command } from 'commander';
import { OPTIONS, TITLES } from '../actuator/knobNames.ts';
import type { Scope } from '../discovery/scope.ts';
import { limited } from '../util/limitedLog.ts';
import { CliError, EXIT } from './exit.ts';
import type { TuneOptions } from './given.ts';
import { tuningExamples, wrapped } from './help.ts';
import { hangUpOfDaemon, Lifetime } from './lifetime.ts';
import { lookAtNamed } from './namedProcesses.ts';
import { logFor, pid, withCommon, withJson, withTuning } from './options.ts';
import { isTerminal, printEvent } from './output.ts';
import { ownTelemetry } from './ownTelemetry.ts';
import { openSession } from './session.ts';
import { Waited } from './waited.ts';

const STREAM = 'what happens to agents (attach, tune, revert, release, end), one document a line,';

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .description(`find every agent of this host and measure it, until you end it; change ${TITLES} only when told to`)
    .addHelpText(
      'after',
      `
${wrapped(`Without ${OPTIONS} (or --optimize, or a feature flag) nothing is written to any process. What was written is put back when taut ends.`)}

Examples:
  taut watch                           measure every agent of this host
${tuningExamples(39)}
  taut watch --optimize                keep them responsive beside a build
  taut watch --optimize-timer-slack=10us
  taut watch --flags flags.json        let a feature flag decide, at any time
  taut watch --json | jq -c '{event, pid: .agent.pid}'
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 taut watch`,
    );
  withJson(withTuning(withCommon(command)), STREAM).action((options: TuneOptions) => watch(options, { kind: 'host' }));
}

export function addAttach(program: Command): void {
  const command = program
    .command('attach')
    .description('watch just these processes, whatever they are; ends when they have ended')
    .argument('<pid...>', 'process ids', (text: string, before: number[] = []) => [...before, pid(text)])
    .addHelpText('after', '\nExamples:\n  taut attach $(pidof claude)\n  taut attach 4711 --optimize-timer-slack=10us');
  withJson(withTuning(withCommon(command)), STREAM).action(attach);
}

/** Reports the processes that can't be watched, and watches the others. */
async function attach(pids: number[], options: TuneOptions): Promise<void> {
  const { there, problems } = lookAtNamed(pids);
  if (there.size === 0) throw new CliError(problems.join('\n'), EXIT.failed);
  for (const problem of problems) logFor(options).warn(problem);
  await watch(options, { kind: 'pids', pids: there });
  if (problems.length > 0) process.exitCode = EXIT.failed;
}

async function watch(options: TuneOptions, scope: Scope): Promise<void> {
  using log = limited(logFor(options));
  const lifetime = new Lifetime(log, scope.kind === 'host' ? hangUpOfDaemon() : 'end');
  const waited = scope.kind === 'pids' && isTerminal() && !options.json ? new Waited() : undefined;
  const onEvent = options.json ? printEvent : waited?.hear;
  const events = onEvent ? { onEvent } : {};
  await using session = await openSession({ ...options, scope, lifetime, telemetry: ownTelemetry, ...events }, log);
  if (scope.kind === 'host' && session.watcher.agents().length === 0)
    log.info('no agent is running yet; waiting for one');
  const idle = new Promise<void>((resolve) => {
    if (scope.kind !== 'pids') return;
    const check = () => session.watcher.agents().length === 0 && resolve();
    session.watcher.onChange(check);
    check();
  });
  const ending = await Promise.race([lifetime.ended, idle]);
  if (!ending) log.info('every process that was to be watched has ended');
  else if (!ending.isQuiet) log.info(`${ending.why}: ${session.hasWritten ? 'putting everything back' : 'ending'}`);
  await session.end();
  waited?.lines().forEach(log.info);
  if (session.missing.length > 0 || session.hasWritten) process.exitCode = EXIT.failed;
  if (ending?.exitCode !== undefined) process.exitCode = ending.exitCode;
}
