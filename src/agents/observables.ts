/** Metrics that are read at each collection: numbers of agents and threads, the tracer's counters, taut's CPU time. */
import {
  type Attributes,
  type BatchObservableResult,
  type Observable as Instrument,
  metrics,
  type ObservableUpDownCounter,
} from '@opentelemetry/api';
import type { Knob } from '../actuator/knob.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AgentIdentity, ThreadCounts } from './identity.ts';

/** What the metrics read of an agent. */
interface Observable {
  readonly identity: AgentIdentity;
  readonly isTuned: boolean;
  counts(knob: Knob): ThreadCounts;
}

export interface Observed {
  /** The tracer's mode, an attribute of every point. */
  readonly mode: string;
  readonly knobs: readonly Knob[];
  agents(): Observable[];
  tracerCounters(): ReadonlyMap<string, number>;
  /** Undefined when it is not known. */
  kernelCpu(): { readonly seconds: number; readonly method: string } | undefined;
  /** Undefined when there is no canary. */
  isDegraded(): boolean | undefined;
}

type Observe = (instrument: Instrument, value: number, attributes?: Attributes) => void;

/** Registers the instruments. @returns a function that ends observing them. */
export function observe(observed: Observed): () => void {
  const meter = metrics.getMeter(semconv.SCOPE_NAME);
  const of = ({ name, ...options }: semconv.MetricDescription) => [name, options] as const;
  const agents = new Census(meter.createObservableUpDownCounter(...of(semconv.METRIC_TAUT_AGENT_COUNT)));
  const threads = new Census(meter.createObservableUpDownCounter(...of(semconv.METRIC_TAUT_THREAD_COUNT)));
  const events = meter.createObservableCounter(...of(semconv.METRIC_TAUT_TRACER_EVENTS));
  const cpu = meter.createObservableCounter(...of(semconv.METRIC_TAUT_SELF_CPU));
  const degraded = meter.createObservableGauge(...of(semconv.METRIC_TAUT_TRACER_DEGRADED));
  const all = [agents.instrument, threads.instrument, events, cpu, degraded];
  const mode = { [semconv.ATTR_TAUT_TRACER_MODE]: observed.mode };
  const callback = (result: BatchObservableResult) => {
    const say: Observe = (instrument, value, attributes) =>
      result.observe(instrument, value, { ...attributes, ...mode });
    const present = observed.agents();
    for (const { identity, isTuned } of present)
      agents.add(1, { [semconv.ATTR_TAUT_ATTACH_PATH]: identity.attachPath, [semconv.ATTR_TAUT_TUNED]: isTuned });
    agents.tell(say);
    for (const knob of observed.knobs) {
      const counts = present.map((agent) => agent.counts(knob));
      for (const state of ['original', 'tuned', 'drifted', 'exempt'] as const) {
        const sum = counts.reduce((total, count) => total + count[state], 0);
        threads.add(sum, { [semconv.ATTR_TAUT_KNOB]: knob.id, [semconv.ATTR_TAUT_THREAD_STATE]: state });
      }
    }
    threads.tell(say);
    for (const [counted, value] of observed.tracerCounters()) {
      const attributes = eventAttributes(counted);
      if (attributes) say(events, value, attributes);
    }
    const { user, system } = process.cpuUsage();
    const self = (part: string, method: string) => ({
      [semconv.ATTR_TAUT_SELF_PART]: part,
      [semconv.ATTR_TAUT_SELF_METHOD]: method,
    });
    say(cpu, (user + system) / 1e6, self('user', 'measured'));
    const kernel = observed.kernelCpu();
    if (kernel) say(cpu, kernel.seconds, self('kernel', kernel.method));
    const isDegraded = observed.isDegraded();
    if (isDegraded !== undefined) say(degraded, isDegraded ? 1 : 0);
  };
  meter.addBatchObservableCallback(callback, all);
  return () => meter.removeBatchObservableCallback(callback, all);
}

/**
 * Counts things by kind (set of attributes). A kind that has disappeared is reported as 0: the SDK goes on exporting
 * the value that was observed last, so it would count agents for ever that have ended or are tuned now.
 */
class Census {
  readonly instrument: ObservableUpDownCounter;
  readonly #kinds = new Map<string, { n: number; readonly attributes: Attributes }>();

  constructor(instrument: ObservableUpDownCounter) {
    this.instrument = instrument;
  }

  add(n: number, attributes: Attributes): void {
    const key = JSON.stringify(attributes);
    const kind = this.#kinds.get(key) ?? { n: 0, attributes };
    kind.n += n;
    this.#kinds.set(key, kind);
  }

  /** Observes the sums that were added since the last call. */
  tell(say: Observe): void {
    for (const kind of this.#kinds.values()) {
      say(this.instrument, kind.n, kind.attributes);
      kind.n = 0;
    }
  }
}

/** Translates a counter (`wakeup_recorded`, `discard_on_cpu`) into attributes; undefined if it counts no outcome. */
function eventAttributes(counter: string): Attributes | undefined {
  const wakeup = { [semconv.ATTR_TAUT_TRACER_EVENT]: 'wakeup' };
  if (counter === 'wakeup_recorded') return { ...wakeup, [semconv.ATTR_TAUT_TRACER_OUTCOME]: 'recorded' };
  const [, reason] = /^discard_(.+)$/.exec(counter) ?? [];
  if (reason === undefined) return undefined;
  return { ...wakeup, [semconv.ATTR_TAUT_TRACER_OUTCOME]: 'discarded', [semconv.ATTR_TAUT_DISCARD_REASON]: reason };
}
