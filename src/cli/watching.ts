/** What `watch` and `attach` do. A file of its own, so that the help does not load it. */
import type { Scope } from '../discovery/scope.ts';
import { limited } from '../util/limitedLog.ts';
import { CliError, EXIT } from './exit.ts';
import type { TuneOptions } from './given.ts';
import { hangUpOfDaemon, Lifetime } from './lifetime.ts';
import { lookAtNamed } from './namedProcesses.ts';
import { logFor } from './options.ts';
import { isTerminal, printEvent } from './output.ts';
import { ownTelemetry } from './ownTelemetry.ts';
import { openSession } from './session.ts';
import { Waited } from './waited.ts';

/** Reports the processes that can't be watched, and watches the others. */
export async function attach(pids: number[], options: TuneOptions): Promise<void> {
  const { there, problems } = lookAtNamed(pids);
  if (there.size === 0) throw new CliError(problems.join('\n'), EXIT.failed);
  for (const problem of problems) logFor(options).warn(problem);
  await watch(options, { kind: 'pids', pids: there });
  if (problems.length > 0) process.exitCode = EXIT.failed;
}

export async function watch(options: TuneOptions, scope: Scope): Promise<void> {
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
