/** taut's own signals, through the OpenTelemetry API alone: without an SDK they go nowhere and cost nothing. */
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
import * as semconv from '../otel/semconv.ts';
import type { Drift } from './actuator/converge.ts';
import type { Knob } from './actuator/knob.ts';
import { LedgerError } from './actuator/ledger.ts';
import type { ThreadState } from './actuator/thread.ts';
import type { AgentIdentity, ThreadCounts } from './agent.ts';
import type { GateDecision } from './gate/gate.ts';
import type { Log } from './log.ts';
import type { RunQueueTime } from './tracer/schedstat.ts';
import type { Shed } from './tracer/series.ts';

/** An agent, as the gauges see it. */
interface Observable {
  readonly identity: AgentIdentity;
  readonly isTuned: boolean;
  counts(): ThreadCounts;
}

/** What the observable instruments read at each collection. */
export interface Observed {
  agents(): Observable[];
  tracerCounters(): ReadonlyMap<string, number>;
  /** Undefined where it is not known. */
  kernelCpu(): { readonly seconds: number; readonly method: string } | undefined;
  /** Undefined where nothing can tell. */
  isDegraded(): boolean | undefined;
  /** Where that is all that can be measured. */
  runQueueTimes(): readonly RunQueueTime[];
}

export class Signals {
  readonly tracer: SpanTracer = trace.getTracer('taut');
  readonly #meter: Meter = metrics.getMeter('taut');
  readonly #operations: Counter;
  readonly #log: Log;
  readonly #mode: Attributes;
  #denied = false;
  #ledgerFailed = false;

  /** @param mode is on every point. */
  constructor(log: Log, mode: string) {
    this.#log = log;
    this.#mode = { [semconv.ATTR_TAUT_TRACER_MODE]: mode };
    const { name, ...options } = semconv.METRIC_TAUT_OPERATIONS;
    this.#operations = this.#meter.createCounter(name, options);
  }

  /** Counts `n` operations of a kind (`attach`, `measure`, `tune`, `verify`, `revert`, `contain`) by outcome. */
  operation(operation: string, outcome: string, n = 1): void {
    const attributes = { [semconv.ATTR_TAUT_OPERATION]: operation, [semconv.ATTR_TAUT_OUTCOME]: outcome };
    this.#operations.add(n, { ...attributes, ...this.#mode });
  }

  /** Whether something that the gate wanted could not be done. */
  get hasFailed(): boolean {
    return this.#denied || this.#ledgerFailed;
  }

  /** Somebody else has set a tuned thread: said once, with both values. */
  drift(agent: AgentIdentity, knob: Knob, { tid, expected, found }: Drift): void {
    this.#log.warn(
      `the ${knob.title} of thread ${tid} of ${agent.name} (${agent.pid}) was set to ${knob.format(found)} by somebody else; left alone`,
    );
    this.event(semconv.EVENT_DRIFT, SeverityNumber.WARN, {
      [semconv.ATTR_PROCESS_PID]: agent.pid,
      [semconv.ATTR_TAUT_AGENT_NAME]: agent.name,
      [semconv.ATTR_THREAD_ID]: tid,
      [semconv.ATTR_TAUT_KNOB]: knob.id,
      [semconv.ATTR_TAUT_DRIFT_EXPECTED]: Number(expected),
      [semconv.ATTR_TAUT_DRIFT_FOUND]: Number(found),
    });
  }

  /** What became of one thread: normal outcomes are counted elsewhere, the others are said, one by one for those who debug. */
  thread(agent: AgentIdentity, knob: Knob, tid: number, { outcome, detail }: ThreadState): void {
    if (outcome === 'tuned' || outcome === 'already' || outcome === 'vanished') return;
    this.#log.debug(`thread ${tid} of ${agent.name} (${agent.pid}): ${outcome}${detail ? `: ${detail}` : ''}`);
    if (outcome === 'denied') this.denied(agent, knob);
  }

  /**
   * Does what needs the ledger. That nothing can be put on record is a standing condition, said once with its mend: taut
   * writes nothing more, and goes on measuring. @returns undefined then.
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

  /** The kernel refused: a standing condition, said once with its mend. */
  denied(agent: AgentIdentity, knob: Knob): void {
    if (this.#denied) return;
    this.#denied = true;
    this.#log.warn(`not allowed to change the ${knob.title} of ${agent.name} (${agent.pid}): ${knob.mend}`);
  }

  /** The gate's word on an agent is another one than before. */
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

  /** The kernel had no room for life events: processes and threads may have been missed, so all are looked at again. */
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

  /** Another amount is shed to stay below the limit. Both in percent of a core. */
  shedding(shed: Shed | undefined, cost: number, limit: number): void {
    const of = shed && shed.factor > 1 ? ` of one wakeup in ${shed.factor}` : '';
    const what = !shed ? 'everything' : `just how late timers fire and how long threads wait for a CPU${of}`;
    this.#log.warn(
      `measuring costs ${cost.toFixed(3)}% of a core, the limit is ${limit}%: from now on ${what} is recorded`,
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
    logs.getLogger('taut').emit({ eventName: name, severityNumber: severity, body: name, attributes });
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

  /** Registers the gauges and counters that are read, not counted. @returns ends that. */
  observe(observed: Observed): () => void {
    const gauge = ({ name, ...options }: semconv.MetricDescription) => this.#meter.createObservableGauge(name, options);
    const counter = ({ name, ...options }: semconv.MetricDescription) =>
      this.#meter.createObservableCounter(name, options);
    const agents = gauge(semconv.METRIC_TAUT_AGENTS);
    const threads = gauge(semconv.METRIC_TAUT_THREADS);
    const events = counter(semconv.METRIC_TAUT_TRACER_EVENTS);
    const cpu = counter(semconv.METRIC_TAUT_SELF_CPU);
    const degraded = gauge(semconv.METRIC_TAUT_TRACER_DEGRADED);
    const waited = counter(semconv.METRIC_TAUT_RUN_QUEUE_TIME);
    const timeslices = counter(semconv.METRIC_TAUT_RUN_QUEUE_TIMESLICES);
    const all = [agents, threads, events, cpu, degraded, waited, timeslices];
    const callback = (reader: import('@opentelemetry/api').BatchObservableResult) => {
      const result: typeof reader = { observe: (m, v, a) => reader.observe(m, v, { ...a, ...this.#mode }) };
      const present = observed.agents();
      const byPath = new Map<string, { n: number; attributes: Attributes }>();
      for (const { identity, isTuned } of present) {
        const attributes = {
          [semconv.ATTR_TAUT_ATTACH_PATH]: identity.attachPath,
          [semconv.ATTR_TAUT_TUNED]: isTuned,
        };
        const key = JSON.stringify(attributes);
        byPath.set(key, { n: (byPath.get(key)?.n ?? 0) + 1, attributes });
      }
      for (const { n, attributes } of byPath.values()) result.observe(agents, n, attributes);
      const counts = present.map((agent) => agent.counts());
      for (const state of ['original', 'tuned', 'drifted', 'exempt'] as const) {
        const sum = counts.reduce((total, of) => total + of[state], 0);
        result.observe(threads, sum, { [semconv.ATTR_TAUT_THREAD_STATE]: state });
      }
      for (const [counted, value] of observed.tracerCounters()) {
        const attributes = eventAttributes(counted);
        if (attributes) result.observe(events, value, attributes);
      }
      const { user, system } = process.cpuUsage();
      const self = (part: string, method: string) => ({
        [semconv.ATTR_TAUT_SELF_PART]: part,
        [semconv.ATTR_TAUT_SELF_METHOD]: method,
      });
      result.observe(cpu, (user + system) / 1e6, self('user', 'measured'));
      const kernel = observed.kernelCpu();
      if (kernel) result.observe(cpu, kernel.seconds, self('kernel', kernel.method));
      const isDegraded = observed.isDegraded();
      if (isDegraded !== undefined) result.observe(degraded, isDegraded ? 1 : 0);
      for (const { pid, name, createdAtMs, waitedNs, timeslices: n } of observed.runQueueTimes()) {
        const who = {
          [semconv.ATTR_PROCESS_PID]: pid,
          [semconv.ATTR_PROCESS_CREATION_TIME]: new Date(createdAtMs).toISOString(),
          [semconv.ATTR_TAUT_AGENT_NAME]: name,
        };
        result.observe(waited, Number(waitedNs) / 1e9, who);
        result.observe(timeslices, n, who);
      }
    };
    this.#meter.addBatchObservableCallback(callback, all);
    return () => this.#meter.removeBatchObservableCallback(callback, all);
  }
}

/** `wakeup_recorded` and `discard_on_cpu` in the words of the metric; undefined for what is not an outcome. */
function eventAttributes(counter: string): Attributes | undefined {
  const wakeup = { [semconv.ATTR_TAUT_TRACER_EVENT]: 'wakeup' };
  if (counter === 'wakeup_recorded') return { ...wakeup, [semconv.ATTR_TAUT_TRACER_OUTCOME]: 'recorded' };
  const [, reason] = /^discard_(.+)$/.exec(counter) ?? [];
  if (reason === undefined) return undefined;
  return { ...wakeup, [semconv.ATTR_TAUT_TRACER_OUTCOME]: 'discarded', [semconv.ATTR_TAUT_DISCARD_REASON]: reason };
}
