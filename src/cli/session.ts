/**
 * Opens everything that watching needs, and closes it in reverse order: lock, ledger (with what a crash left), tracer,
 * telemetry, gate, watcher, control socket. What this host can't do is reported once, and the rest goes on.
 */
import { join } from 'node:path';
import { settle } from '../../otel/environment/settle.ts';
import { startTelemetry, type Telemetry } from '../../otel/sdk.ts';
import { injectUncaught } from '../actuator/faultPoints.ts';
import type { Guard } from '../actuator/guard.ts';
import type { Ledger } from '../actuator/ledger.ts';
import type { Off } from '../actuator/off.ts';
import { schedSlice } from '../actuator/schedSlice.ts';
import { Operations } from '../agents/operations.ts';
import { PastTraces } from '../agents/pastTraces.ts';
import { reportRestored } from '../agents/reportRestored.ts';
import type { AgentEvent } from '../agents/status.ts';
import { Watcher, type WatcherOptions } from '../agents/watcher.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { Decisions } from '../discovery/decisions.ts';
import { compileRules, type RuleSet } from '../discovery/ruleSet.ts';
import { describeScope, type Scope } from '../discovery/scope.ts';
import { CoolDowns } from '../gate/coolDowns.ts';
import type { Gate } from '../gate/gate.ts';
import { GuardedGate } from '../gate/guardedGate.ts';
import { OffGate } from '../gate/offGate.ts';
import { observeOnlyGate } from '../gate/staticGate.ts';
import { type Without, withoutFrom } from '../tracer/features.ts';
import { type Measuring, openMeasuring } from '../tracer/measuring.ts';
import { fileState } from '../util/fileChanges.ts';
import type { Log } from '../util/log.ts';
import { placeProblem } from '../util/writable.ts';
import { answer, answerPublicly } from './controlHandlers.ts';
import { CliError, EXIT } from './exit.ts';
import { hasFlags, type TuneOptions, targetsOf } from './given.ts';
import type { Lifetime } from './lifetime.ts';
import { requireOpenFiles } from './openFiles.ts';
import { openGate } from './openGate.ts';
import { servePublicly } from './publicSocket.ts';
import { readConfig } from './readConfig.ts';
import { recordWarnings } from './recordWarnings.ts';
import { onNewRules } from './reload.ts';
import { sayOff } from './reportOff.ts';
import type { Request } from './requests.ts';
import type { Carried } from './run/carried.ts';
import type { CommandEnd } from './run/held.ts';
import { beginRunSpan, endRunSpan, reservedIds, resourceOf } from './run/runSpan.ts';
import { serveRun } from './run/socket.ts';
import { holdLocks, openLedger, recover, watchLedger } from './sessionLedger.ts';
import { removeStale } from './sockets.ts';
import { statusDocument } from './statusDocument.ts';
import { openSocket } from './unwritable.ts';
import { version } from './version.ts';

export interface Session extends AsyncDisposable {
  readonly watcher: Watcher;
  readonly telemetry: Telemetry;
  /** What this host could not do. Each is already reported; the exit code depends on it. */
  readonly missing: readonly string[];
  /** Whether taut still has something to put back. */
  readonly hasWritten: boolean;
  /** Ends the span of a run. @returns whether there is one. */
  endRun(end: CommandEnd): boolean;
  /** Puts everything back and hears further signals meanwhile. Disposing without `end` puts everything back at once. */
  end(): Promise<void>;
}

export interface SessionOptions extends TuneOptions {
  readonly scope: Scope;
  /** Used instead of the gate that the options ask for. */
  readonly gate?: Gate;
  readonly onEvent?: (event: AgentEvent) => void;
  /** Directory of the embedded sink, if it is not the state directory. */
  readonly sinkDir?: string;
  /** Ends the command, and knows what taut does now. */
  readonly lifetime: Pick<Lifetime, 'doing' | 'end' | 'onUncaught'>;
  /** Only for `run` and `demo`, which share the state directory with other tauts. */
  readonly run?: RunSession;
}

export interface RunSession {
  /** Undefined: nothing is tuned; the reason was reported. */
  readonly ledger: Ledger | undefined;
  /** See `WatcherOptions.guard`. */
  readonly guard: boolean | Guard;
  readonly begun: NonNullable<WatcherOptions['begun']>;
  /** The command's process id. */
  readonly pid?: number;
  /** The trace that it is in; undefined where it was told of none. */
  readonly carried?: Carried;
  /** Aborted when the command has ended: then no session is opened. */
  readonly ended: AbortSignal;
}

/** @throws CliError with the exit code when nothing useful can be done. */
export async function openSession(options: SessionOptions, terminal: Log): Promise<Session> {
  const { log, begin } = recordWarnings(terminal);
  await using stack = new AsyncDisposableStack();
  const { stateDir, sinkDir = stateDir, scope, descendants, lifetime, run } = options;
  requireOpenFiles();
  await settle(process.env); // a mistake there ends taut before anything is begun
  const daemon = { pid: process.pid, since: new Date().toISOString() };
  const missing: string[] = [];
  const file = options.config === undefined ? undefined : { path: options.config, asRead: fileState(options.config) };
  const config = await readConfig(options.config);
  const rules = compileRules(config);
  const isDynamic = hasFlags(options) || options.gate !== undefined;
  const isAsked = targetsOf(options).size > 0 || isDynamic;
  const mayTune = isAsked && !options.observeOnly && (!run || run.ledger !== undefined);

  const onSwitch = (off: Off | undefined) => sayOff(off, mayTune ? log : undefined);
  const guarded = options.observeOnly
    ? undefined
    : new GuardedGate(options.gate ?? (await openGate(options, log)), new CoolDowns(stateDir));
  const gate = stack.adopt(new OffGate(guarded ?? observeOnlyGate(), stateDir, onSwitch), (g) => g.close());

  const measuring = measure(log, missing, mayTune && (isDynamic || targetsOf(options).has(schedSlice.id)));
  if (measuring.tracer) stack.use(measuring.tracer);
  if (measuring.mode === 'none' && !mayTune)
    throw new CliError('there is nothing to do: measuring is not possible here', EXIT.host);

  run?.ended.throwIfAborted();

  const said = { log, missing };
  // Without the locks two tauts could write to the same threads: then taut does not tune.
  const mayRecord = run !== undefined || holdLocks(stack, stateDir, mayTune, said);
  const ledger = run ? run.ledger : mayRecord ? openLedger(stateDir, mayTune, log, missing) : undefined;
  if (mayTune && !ledger && !missing.includes('tune')) missing.push('tune');
  if (ledger && !run) stack.use(ledger);
  const recovered = ledger ? recover(ledger, log) : undefined;

  let observed: Watcher | undefined;
  // The watcher ends after the last export, so that the last export has the final counts.
  stack.defer(() => observed?.[Symbol.dispose]());
  const telemetry = stack.use(
    await startTelemetry({
      env: process.env,
      stateDir: sinkDir,
      sinkProblem: placeProblem(join(sinkDir, 'otlp')),
      spoolLimit: options.spoolLimit ?? DEFAULTS.spoolLimit,
      spoolProblem: placeProblem(join(sinkDir, 'spool')),
      serviceVersion: version(),
      ...(run?.carried && { firstSpan: reservedIds(run.carried), resource: resourceOf(run.carried) }),
      measured: {
        mode: () => measuring.mode,
        snapshots: () => observed?.measurement.snapshots(true) ?? [],
        runQueueTimes: () => observed?.measurement.runQueueTimes(true) ?? [],
        exported: () => observed?.measurement.exported(),
        canaryLatency: () => observed?.measurement.canaryLatency(),
      },
      onWarning: (message) => log.warn(message),
      onDetail: (message) => log.info(message),
    }),
  );
  const runSpan = run?.carried && beginRunSpan(run.carried, run.pid);
  begin();
  if (recovered) reportRestored(new Operations(measuring.mode), recovered);
  const decisions = new Decisions(rules, config.dnsPorts);
  const { onEvent, maxOverhead } = options;
  // Those of `run` and `demo` share the directory with a daemon, whose file it is.
  const tracesPath = run || !mayRecord ? undefined : join(stateDir, 'past-traces.jsonl');
  const past = stack.use(new PastTraces(tracesPath, log.warn));
  const { guardrail: settings } = config;
  const watcher = new Watcher({
    ...{ decisions, gate, scope, log, measuring, ledger, descendants, past },
    guard: run ? run.guard : mayTune && options.guard !== false,
    ...(onEvent && { onEvent }),
    linkAgentTelemetry: options.linkAgentTelemetry ?? false,
    ...(run && { begun: run.begun }),
    ...(runSpan && { run: { context: runSpan.spanContext(), id: run?.carried?.runId } }),
    ...(maxOverhead === undefined ? {} : { maxOverhead }),
    ...(settings && guarded && mayTune && { guardrail: { settings, hold: (coolDown) => guarded.hold(coolDown) } }),
  });
  observed = watcher;
  watcher.measurement.onChange(() => telemetry.collectSoon());
  lifetime.onUncaught(() => watcher.release('an unexpected error'));
  if (ledger) stack.use(watchLedger(ledger, watcher, log, lifetime));
  stack.defer(() => watcher.release('shutdown'));
  const status = () => statusDocument(stateDir, ledger, { daemon, watcher, flagProvider: gate.provider });
  const lookAtSwitch = async () => {
    gate.look();
    guarded?.look();
    await watcher.gateAnew();
  };
  const running = { watcher, decisions, status, lookAtSwitch };
  const replies = (request: Request) => answer(request, running);
  if (run) {
    const server = await serveRun(stateDir, replies, log);
    if (server) stack.use(server);
  } else if (!missing.includes('lock')) {
    await openSocket(stack, stateDir, replies, said);
    stack.use(await servePublicly(stateDir, (request) => answerPublicly(request, running), log));
  }
  removeStale(stateDir);
  gate.look();
  await watcher.start();
  const use = async (changed: RuleSet) => {
    decisions.use(changed);
    await watcher.decideAnew();
  };
  run?.ended.throwIfAborted();
  if (scope.kind === 'host') stack.use(onNewRules(file, config, log, use));
  log.info(`watching ${describeScope(scope)}; ${telemetry.describe()}`);
  lifetime.doing = 'watching';
  injectUncaught();

  const owned = stack.move();
  return {
    watcher,
    telemetry,
    get missing() {
      return watcher.hasFailed && !missing.includes('tune') ? [...missing, 'tune'] : missing;
    },
    get hasWritten() {
      return (ledger?.ownCount ?? 0) > 0;
    },
    endRun(end) {
      if (runSpan) endRunSpan(runSpan, end);
      return runSpan !== undefined;
    },
    async end() {
      await watcher.end('shutdown', (left) => {
        lifetime.doing = `putting back what it changed (${left} agents are left)`;
      });
      lifetime.doing = 'sending the last telemetry, which takes a second at most';
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What taut measures in each mode but `full`. */
const LESS = {
  wakeups: 'measuring without timers (mode wakeups)',
  schedstat: 'measuring just the time spent waiting for a CPU (mode schedstat)',
  none: 'not measuring',
} as const;

/** @param slices whether a scheduler slice may be set. */
function measure(log: Log, missing: string[], slices: boolean): Measuring {
  const measuring = openMeasuring({ without: readWithout(), calibrate: true, slices });
  const { mode, lack } = measuring;
  if (mode === 'full') {
    log.info('measuring in full (mode full)');
    return measuring;
  }
  log.warn(`${LESS[mode]}: ${lack?.message}; ${lack?.mend}`);
  for (const line of lack?.log?.trimEnd().split('\n') ?? []) log.debug(line);
  missing.push('measure');
  return measuring;
}

function readWithout(): Without {
  try {
    return withoutFrom(process.env);
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.usage);
  }
}
