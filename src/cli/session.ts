/**
 * Everything that watching needs, put together and taken apart in order: lock, ledger (with what a crash left), tracer,
 * telemetry, gate, watcher, control socket. What this host can't do is said once, and the rest goes on.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ledger } from '../actuator/ledger.ts';
import { restoreEntries } from '../actuator/restore.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import { loadConfig } from '../config/load.ts';
import { Decisions } from '../discovery/decisions.ts';
import { compileRules } from '../discovery/matcher.ts';
import { createGate } from '../gate/createGate.ts';
import type { Log } from '../log.ts';
import { addon, TautError } from '../native.ts';
import { startTelemetry, type Telemetry } from '../../otel/sdk.ts';
import type { Scope } from '../scope.ts';
import { Tracer } from '../tracer/tracer.ts';
import { TracerUnavailable } from '../tracer/programs.ts';
import { Watcher } from '../watcher.ts';
import { serve } from './control.ts';
import { CliError, EXIT } from './exit.ts';
import type { TuneOptions } from './options.ts';
import { statusDocument } from './statusDocument.ts';
import { version } from './version.ts';

export interface Session extends AsyncDisposable {
  readonly watcher: Watcher;
  readonly telemetry: Telemetry;
  /** What could not be done on this host, each already said; the exit code tells. */
  readonly missing: readonly string[];
}

export interface SessionOptions extends TuneOptions {
  /** Called before the first look, when the scope is known. */
  readonly scope: Scope;
}

/** @throws CliError with the exit code when nothing useful can be done. */
export async function openSession(options: SessionOptions, log: Log): Promise<Session> {
  await using stack = new AsyncDisposableStack();
  const { stateDir } = options;
  const since = new Date().toISOString();
  const missing: string[] = [];
  const rules = compileRules(loadConfig(options.config));
  const gate = stack.adopt(
    await createGate({
      ...(options.optimizeTimerSlack === undefined ? {} : { cliValue: options.optimizeTimerSlack }),
      ...(options.flags === undefined ? {} : { flagsFile: options.flags }),
      onProblem: (message) => log.warn(message),
    }),
    (g) => g.close(),
  );
  const mayTune = options.optimizeTimerSlack !== undefined || options.flags !== undefined;

  const tracer = openTracer(log, missing);
  if (tracer) stack.use(tracer);
  if (!tracer && !mayTune) throw new CliError('there is nothing to do: measuring is not possible here', EXIT.host);

  holdLock(stack, stateDir);
  const ledger = openLedger(stateDir, mayTune, log, missing);
  if (ledger) stack.use(ledger);
  if (ledger) recover(ledger, log);

  let watcher: Watcher | undefined;
  const telemetry = stack.use(
    await startTelemetry({
      env: process.env,
      stateDir,
      serviceVersion: version(),
      snapshots: () => watcher?.snapshots() ?? [],
      onWarning: (message) => log.warn(message),
    }),
  );
  const decisions = new Decisions(rules);
  watcher = stack.use(new Watcher({ decisions, gate, scope: options.scope, log, tracer, ledger }));
  const serving = watcher;
  stack.use(
    await serve(stateDir, (request) =>
      request.op === 'status'
        ? statusDocument({ pid: process.pid, since }, serving.agents(), stateDir, ledger)
        : { verdict: decisions.of(request.pid) ?? null, gate: serving.agent(request.pid)?.gate ?? null },
    ),
  );
  log.info(telemetry.describe());
  await watcher.start();

  const owned = stack.move();
  return { watcher, telemetry, missing, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function openTracer(log: Log, missing: string[]): Tracer | undefined {
  try {
    return new Tracer();
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    log.warn(`not measuring: ${error.message}; ${error.mend}`);
    if (error.log) log.debug(error.log);
    missing.push('measure');
    return undefined;
  }
}

function holdLock(stack: AsyncDisposableStack, stateDir: string): void {
  const path = join(stateDir, 'taut.lock');
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CliError(`the state directory can't be made: ${(error as Error).message}; use --state-dir`, EXIT.failed);
  }
  const fd = addon().lock(path);
  if (fd >= 0) return void stack.defer(() => void addon().close(fd));
  const error = new TautError(fd, `lock ${path}`);
  if (error.code !== 'EAGAIN') throw new CliError(`${error.message}; use --state-dir`, EXIT.failed);
  throw new CliError(`another taut runs with ${stateDir} (taut status shows it); use another --state-dir`, EXIT.failed);
}

/** Without a usable ledger nothing is tuned; attaching and measuring go on. */
function openLedger(stateDir: string, mayTune: boolean, log: Log, missing: string[]): Ledger | undefined {
  try {
    return new Ledger(stateDir);
  } catch (error) {
    if (mayTune) {
      log.warn(`not tuning: ${(error as Error).message}`);
      missing.push('tune');
    }
    return undefined;
  }
}

/** Puts back what a daemon that was killed has left behind. */
function recover(ledger: Ledger, log: Log): void {
  const entries = ledger.entries();
  if (entries.length === 0) return;
  const results = restoreEntries(ledger, [timerSlack], entries);
  const n = (outcome: string) => results.filter((r) => r.outcome === outcome).length;
  log.info(
    `an earlier run ended without putting back ${entries.length} threads: restored ${n('restored')}, vanished ${n('vanished')}, drifted ${n('drifted')}, failed ${n('failed')}`,
  );
}
