/** taut's own signals, through the OpenTelemetry API only: without an SDK the calls do nothing. */
import {
  type Attributes,
  type Counter,
  logs,
  type Meter,
  metrics,
  SeverityNumber,
  type Tracer as SpanTracer,
  trace,
} from '@opentelemetry/api';
import type { Drift } from '../actuator/converge.ts';
import type { Knob } from '../actuator/knob.ts';
import { LedgerError } from '../actuator/ledgerFile.ts';
import type { Restored } from '../actuator/restore.ts';
import type { ThreadState } from '../actuator/thread.ts';
import type { GateDecision } from '../gate/gate.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Shed } from '../tracer/series.ts';
import type { Log } from '../util/log.ts';
import type { AgentIdentity } from './identity.ts';

export class Signals {
  readonly tracer: SpanTracer = trace.getTracer(semconv.SCOPE_NAME);
  readonly #meter: Meter = metrics.getMeter(semconv.SCOPE_NAME);
  readonly #operations: Counter;
  readonly #log: Log;
  readonly #mode: Attributes;
  /** Ids of knobs. */
  readonly #denied = new Set<string>();
  #ledgerFailed = false;

  /** @param mode an attribute of every point. */
  constructor(log: Log, mode: string) {
    this.#log = log;
    this.#mode = { [semconv.ATTR_TAUT_TRACER_MODE]: mode };
    const { name, ...options } = semconv.METRIC_TAUT_OPERATIONS;
    this.#operations = this.#meter.createCounter(name, options);
  }

  /**
   * Counts `n` operations of a kind (`attach`, `measure`, `tune`, `verify`, `revert`, `restore`, `contain`, `forget`)
   * by outcome. `knob`: its id, for operations on a knob.
   */
  operation(operation: string, outcome: string, n = 1, knob?: string): void {
    const attributes = { [semconv.ATTR_TAUT_OPERATION]: operation, [semconv.ATTR_TAUT_OUTCOME]: outcome };
    const by = knob === undefined ? {} : { [semconv.ATTR_TAUT_KNOB]: knob };
    this.#operations.add(n, { ...attributes, ...by, ...this.#mode });
  }

  /** Counts several outcomes of one kind of operation. */
  operations(operation: string, outcomes: ReadonlyMap<string, number>, knob: string): void {
    for (const [outcome, n] of outcomes) this.operation(operation, outcome, n, knob);
  }

  /** Whether a decision of the gate could not be carried out. */
  get hasFailed(): boolean {
    return this.#denied.size > 0 || this.#ledgerFailed;
  }

  /** Another program has set a tuned thread: logs it and emits an event, with both values. */
  drift(agent: AgentIdentity, knob: Knob, drift: Drift): void {
    this.sayDrift(agent, knob, drift);
    const { tid, expected, found } = drift;
    this.drifted({ pid: agent.pid, agent: agent.name, tid, knob: knob.id, target: expected, was: found });
  }

  /** The log line of a drift. */
  sayDrift({ pid, name }: AgentIdentity, knob: Knob, { tid, found }: Drift): void {
    this.#log.warn(
      `the ${knob.title} of thread ${tid} of ${name} (${pid}) was set to ${knob.format(found)} by somebody else; left alone`,
    );
  }

  /** The event of a drift. */
  drifted({
    pid,
    agent,
    tid,
    knob,
    target,
    was,
  }: Pick<Restored, 'pid' | 'agent' | 'tid' | 'knob' | 'target' | 'was'>): void {
    this.event(semconv.EVENT_DRIFT, SeverityNumber.WARN, {
      [semconv.ATTR_PROCESS_PID]: pid,
      [semconv.ATTR_TAUT_AGENT_NAME]: agent,
      [semconv.ATTR_THREAD_ID]: tid,
      [semconv.ATTR_TAUT_KNOB]: knob,
      [semconv.ATTR_TAUT_DRIFT_EXPECTED]: Number(target),
      ...(was === undefined ? {} : { [semconv.ATTR_TAUT_DRIFT_FOUND]: Number(was) }),
    });
  }

  /** A thread could not be put back; it stays in the ledger. */
  restoreFailed({ pid, agent, tid, knob, detail }: Restored): void {
    this.event(semconv.EVENT_RESTORE_FAILED, SeverityNumber.ERROR, {
      [semconv.ATTR_PROCESS_PID]: pid,
      [semconv.ATTR_TAUT_AGENT_NAME]: agent,
      [semconv.ATTR_THREAD_ID]: tid,
      [semconv.ATTR_TAUT_KNOB]: knob,
      ...(detail === undefined ? {} : { [semconv.ATTR_TAUT_RESTORE_DETAIL]: detail }),
    });
  }

  /** The outcome of one thread. Normal outcomes are only counted, elsewhere; the others are logged at level debug. */
  thread(agent: AgentIdentity, knob: Knob, tid: number, { outcome, detail }: ThreadState): void {
    if (outcome === 'tuned' || outcome === 'already' || outcome === 'vanished') return;
    const what = `${knob.title} ${outcome}${detail ? `: ${detail}` : ''}`;
    this.#log.debug(`thread ${tid} of ${agent.name} (${agent.pid}): ${what}`);
    if (outcome === 'denied') this.denied(agent, knob);
  }

  /**
   * Does work that needs the ledger. A ledger that can't be used is logged once, with its remedy: taut tunes nothing,
   * and goes on measuring. @returns undefined when the ledger failed.
   */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      if (!this.#ledgerFailed) this.#log.warn(`not tuning: ${error.message}`);
      this.#ledgerFailed = true;
      this.operation('ledger', 'failed');
      return undefined;
    }
  }

  /** The kernel refused to change a knob of a thread: logged once for each knob, with the remedy. */
  denied(agent: AgentIdentity, knob: Knob): void {
    if (this.#denied.has(knob.id)) return;
    this.#denied.add(knob.id);
    this.#log.warn(`not allowed to change the ${knob.title} of ${agent.name} (${agent.pid}): ${knob.mend}`);
  }

  /** The gate's decision on an agent has changed. */
  gateChanged(agent: AgentIdentity, knob: Knob, decision: GateDecision): void {
    this.event(semconv.EVENT_GATE_CHANGED, SeverityNumber.INFO, {
      [semconv.ATTR_PROCESS_PID]: agent.pid,
      [semconv.ATTR_TAUT_AGENT_NAME]: agent.name,
      [semconv.ATTR_TAUT_KNOB]: knob.id,
      [semconv.ATTR_TAUT_GATE_VALUE]: decision.value === null ? 'off' : String(decision.value),
      [semconv.ATTR_TAUT_GATE_REASON]: decision.reason,
      ...this.flagAttributes(decision),
    });
  }

  /** The kernel had no room for life events: processes or threads may have been missed, so taut scans all again. */
  eventsLost(n: number): void {
    this.#log.warn(`${n} events of the kernel were lost; looking at every process again`);
    this.event(semconv.EVENT_EVENTS_LOST, SeverityNumber.WARN, { [semconv.ATTR_TAUT_EVENTS_LOST]: n });
  }

  /** The canary and the tracer disagree (`reason`), or agree again. */
  tracerDegraded(reason: string | undefined): void {
    if (reason === undefined) this.#log.info('what is measured is reliable again');
    else this.#log.warn(`what is measured is not reliable now (degraded): ${reason}`);
    this.event(semconv.EVENT_TRACER_DEGRADED, reason === undefined ? SeverityNumber.INFO : SeverityNumber.WARN, {
      [semconv.ATTR_TAUT_TRACER_STATE]: reason === undefined ? 'ok' : 'degraded',
      ...(reason === undefined ? {} : { [semconv.ATTR_TAUT_TRACER_REASON]: reason }),
      ...this.#mode,
    });
  }

  /** The amount that is shed has changed, to stay below the limit. `cost` and `limit`: percent of a core. */
  shedding(shed: Shed | undefined, cost: number, limit: number): void {
    const of = shed && shed.factor > 1 ? `, for one wakeup in ${shed.factor}` : '';
    const what = !shed ? 'everything' : `only how late timers fire and how long threads wait for a CPU${of}`;
    this.#log.warn(
      `measuring costs ${cost.toFixed(3)}% of a core, the limit is ${limit}%: from now on taut records ${what}`,
    );
    this.event(semconv.EVENT_SHEDDING, SeverityNumber.WARN, {
      [semconv.ATTR_TAUT_SAMPLING_FACTOR]: shed?.factor ?? 1,
      [semconv.ATTR_TAUT_SHED_DETAIL]: shed !== undefined,
      [semconv.ATTR_TAUT_OVERHEAD_COST]: cost,
      [semconv.ATTR_TAUT_OVERHEAD_LIMIT]: limit,
      ...this.#mode,
    });
  }

  event(name: string, severity: SeverityNumber, attributes: Attributes): void {
    logs.getLogger(semconv.SCOPE_NAME).emit({ eventName: name, severityNumber: severity, body: name, attributes });
  }

  flagAttributes(decision: GateDecision): Attributes {
    const { flag } = decision;
    if (!flag) return {};
    return {
      [semconv.ATTR_FEATURE_FLAG_KEY]: flag.key,
      [semconv.ATTR_FEATURE_FLAG_PROVIDER_NAME]: flag.provider,
      ...(flag.variant === undefined ? {} : { [semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT]: flag.variant }),
      ...(flag.reason === undefined ? {} : { [semconv.ATTR_FEATURE_FLAG_RESULT_REASON]: flag.reason.toLowerCase() }),
    };
  }
}
