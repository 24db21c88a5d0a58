/**
 * Every metric of taut, one entry each: how backends and `docs/telemetry.md` describe it, and where its values come from.
 * Adding a metric is adding its entry: the program and `otel/` read this table, and `npm run docs` writes the page from it.
 */
import type { Attributes } from '@opentelemetry/api';
import type { Observable, Reading } from './observable.ts';
import * as semconv from './semconv.ts';

interface Description {
  /** UCUM. */
  readonly unit: string;
  readonly description: string;
  /** The attributes by which its points differ, beside those of the agent and those of every point. */
  readonly splitBy: readonly string[];
}

/** A quantity of wakeups, which the kernel counts: an entry of TAUT_QUANTITIES in `native/include/taut.h`. */
interface OfWakeups extends Description {
  readonly source: 'wakeups';
  readonly kind: 'exponential histogram';
}

/** How late the canary was woken. */
interface OfCanary extends Description {
  readonly source: 'canary';
  readonly kind: 'exponential histogram';
}

/** Read from schedstat for each agent. */
interface OfSchedstat extends Description {
  readonly source: 'schedstat';
  readonly kind: 'counter';
  readonly read: (time: Waited) => number;
}

/** Since the agent was attached. */
interface Waited {
  readonly waitedNs: bigint;
  readonly timeslices: number;
}

/** Computed at each collection. */
export interface Observed extends Description {
  readonly source: 'observed';
  readonly kind: 'counter' | 'up-down counter' | 'gauge';
  /** The values now. Those of an up-down counter with the same attributes are added. */
  readonly observe: (observable: Observable) => readonly Reading[];
}

/** How much of each signal waits for a backend. */
interface OfDelivery extends Description {
  readonly source: 'delivery';
  readonly kind: 'up-down counter';
  readonly read: (waiting: Waiting) => number;
}

interface Waiting {
  readonly items: number;
  readonly bytes: number;
}

/** Counted where it happens. */
interface Counted extends Description {
  readonly source: 'counted';
  readonly kind: 'counter';
}

export type Metric = OfWakeups | OfCanary | OfSchedstat | Observed | OfDelivery | Counted;

export const METRICS = {
  'taut.timer.lateness': {
    ...{ source: 'wakeups', kind: 'exponential histogram', unit: 's' },
    description: "From a timer's soft expiry, which the agent asked for, until its handler wakes the thread.",
    splitBy: [semconv.ATTR_TAUT_TIMER_SLACK_CLASS, semconv.ATTR_TAUT_TUNED],
  },
  'taut.timer.slack_use': {
    ...{ source: 'wakeups', kind: 'exponential histogram', unit: 's' },
    description: 'The part of lateness up to the hard expiry: what timer slack can give back.',
    splitBy: [semconv.ATTR_TAUT_TIMER_SLACK_CLASS, semconv.ATTR_TAUT_TUNED],
  },
  'taut.timer.overrun': {
    ...{ source: 'wakeups', kind: 'exponential histogram', unit: 's' },
    description: 'The part of lateness beyond the hard expiry: timer slack has no part in it.',
    splitBy: [semconv.ATTR_TAUT_TIMER_SLACK_CLASS, semconv.ATTR_TAUT_TUNED],
  },
  'taut.wakeup.latency': {
    ...{ source: 'wakeups', kind: 'exponential histogram', unit: 's' },
    description: "The whole of what the agent feels: from a timer's soft expiry (or from sched_waking) to running.",
    splitBy: [
      ...[semconv.ATTR_TAUT_WAKEUP_SOURCE, semconv.ATTR_TAUT_TIMER_SLACK_CLASS, semconv.ATTR_TAUT_TUNED],
      semconv.ATTR_TAUT_SCHED_SLICE,
    ],
  },
  'taut.wakeup.hand_over': {
    ...{ source: 'wakeups', kind: 'exponential histogram', unit: 's' },
    description: 'From sched_waking to being made runnable: the way to the other CPU, out of idle.',
    splitBy: [semconv.ATTR_TAUT_WAKEUP_SOURCE],
  },
  'taut.wakeup.run_queue_delay': {
    ...{ source: 'wakeups', kind: 'exponential histogram', unit: 's' },
    description:
      'From being made runnable to running. Timer slack has no part in it, so it is the control of that knob; a scheduler slice is to shorten it.',
    splitBy: [semconv.ATTR_TAUT_WAKEUP_SOURCE, semconv.ATTR_TAUT_TUNED, semconv.ATTR_TAUT_SCHED_SLICE],
  },
  'taut.agent.count': {
    ...{ source: 'observed', kind: 'up-down counter', unit: '{agent}' },
    description: 'Agent processes that are attached.',
    splitBy: [semconv.ATTR_TAUT_ATTACH_PATH, semconv.ATTR_TAUT_TUNED],
    observe: ({ agents }) =>
      agents().map(({ attachPath, isTuned }) => ({
        value: 1,
        by: { [semconv.ATTR_TAUT_ATTACH_PATH]: attachPath, [semconv.ATTR_TAUT_TUNED]: isTuned },
      })),
  },
  'taut.thread.count': {
    ...{ source: 'observed', kind: 'up-down counter', unit: '{thread}' },
    description: 'Threads of attached agents, by the state of each knob.',
    splitBy: [semconv.ATTR_TAUT_KNOB, semconv.ATTR_TAUT_THREAD_STATE],
    observe: ({ threads }) =>
      threads().map(({ knob, state, count }) => ({
        value: count,
        by: { [semconv.ATTR_TAUT_KNOB]: knob, [semconv.ATTR_TAUT_THREAD_STATE]: state },
      })),
  },
  'taut.operations': {
    ...{ source: 'counted', kind: 'counter', unit: '{operation}' },
    description: 'Operations on agents and their threads, by outcome.',
    splitBy: [semconv.ATTR_TAUT_OPERATION, semconv.ATTR_TAUT_OUTCOME, semconv.ATTR_TAUT_KNOB],
  },
  'taut.inherited.cpu': {
    ...{ source: 'counted', kind: 'counter', unit: 's' },
    description:
      "CPU time that children of agents ran with the agent's scheduler slice, from their birth until taut put them back, or until their end.",
    splitBy: [semconv.ATTR_TAUT_AGENT_NAME, semconv.ATTR_TAUT_KNOB],
  },
  'taut.off': {
    ...{ source: 'observed', kind: 'gauge', unit: '1' },
    description: 'Whether the kill switch (taut off) keeps taut from tuning (1) or not (0).',
    splitBy: [],
    observe: ({ isOff }) => {
      const off = isOff();
      return off === undefined ? [] : [{ value: off ? 1 : 0 }];
    },
  },
  'taut.flags.ready': {
    ...{ source: 'observed', kind: 'gauge', unit: '1' },
    description: 'Whether the provider of feature flags is ready (1) or not (0): down, stale, or not started yet.',
    splitBy: [],
    observe: ({ hasFlags }) => {
      const ready = hasFlags();
      return ready === undefined ? [] : [{ value: ready ? 1 : 0 }];
    },
  },
  'taut.tracer.events': {
    ...{ source: 'observed', kind: 'counter', unit: '{event}' },
    description: 'Every event that the tracer saw: recorded, or discarded for a reason.',
    splitBy: [semconv.ATTR_TAUT_TRACER_EVENT, semconv.ATTR_TAUT_TRACER_OUTCOME, semconv.ATTR_TAUT_DISCARD_REASON],
    observe: ({ tracerCounters }) => [...tracerCounters()].flatMap(([counter, value]) => outcome(counter, value)),
  },
  'taut.tracer.degraded': {
    ...{ source: 'observed', kind: 'gauge', unit: '1' },
    description: 'Whether the tracer and its canary, a thread that keeps time by itself, disagree (1) or agree (0).',
    splitBy: [],
    observe: ({ isDegraded }) => {
      const degraded = isDegraded();
      return degraded === undefined ? [] : [{ value: degraded ? 1 : 0 }];
    },
  },
  'taut.canary.latency': {
    ...{ source: 'canary', kind: 'exponential histogram', unit: 's' },
    description: "Wakeup latency of taut's own idle thread, with the least timer slack: the host's floor.",
    splitBy: [],
  },
  'taut.run_queue.time': {
    ...{ source: 'schedstat', kind: 'counter', unit: 's' },
    description: 'Time that threads were runnable and not running, after a wakeup or a preemption (mode schedstat).',
    splitBy: [],
    read: ({ waitedNs }: Waited) => Number(waitedNs) / 1e9,
  },
  'taut.run_queue.timeslices': {
    ...{ source: 'schedstat', kind: 'counter', unit: '{timeslice}' },
    description: 'Times that threads were put on a CPU (mode schedstat).',
    splitBy: [],
    read: ({ timeslices }: Waited) => timeslices,
  },
  'taut.telemetry.dropped': {
    ...{ source: 'counted', kind: 'counter', unit: '{item}' },
    description:
      'Spans, points and log records that no backend got: refused, rejected, damaged, or without room to wait.',
    splitBy: [semconv.ATTR_TAUT_TELEMETRY_SIGNAL],
  },
  'taut.telemetry.waiting.count': {
    ...{ source: 'delivery', kind: 'up-down counter', unit: '{item}' },
    description: 'Spans, points and log records that wait for a backend that does not take them now.',
    splitBy: [semconv.ATTR_TAUT_TELEMETRY_SIGNAL],
    read: ({ items }: Waiting) => items,
  },
  'taut.telemetry.waiting.size': {
    ...{ source: 'delivery', kind: 'up-down counter', unit: 'By' },
    description: 'Size of what waits for a backend, on disk or in memory.',
    splitBy: [semconv.ATTR_TAUT_TELEMETRY_SIGNAL],
    read: ({ bytes }: Waiting) => bytes,
  },
  'taut.self.cpu': {
    ...{ source: 'observed', kind: 'counter', unit: 's' },
    description: 'CPU time that taut itself has used: its BPF programs (kernel) and its own process (user).',
    splitBy: [semconv.ATTR_TAUT_SELF_PART, semconv.ATTR_TAUT_SELF_METHOD],
    observe: ({ userCpu, kernelCpu }) => {
      const kernel = kernelCpu();
      const user = { value: userCpu(), by: usedBy('user', 'measured') };
      return kernel ? [user, { value: kernel.seconds, by: usedBy('kernel', kernel.method) }] : [user];
    },
  },
} as const satisfies Record<string, Metric>;

type Table = typeof METRICS;
type MetricName = keyof Table;
type NameFrom<S extends Metric['source']> = { [N in MetricName]: Table[N]['source'] extends S ? N : never }[MetricName];

/** A quantity of wakeups, which the kernel counts: the name of its metric without `taut.`. */
export type Quantity = NameFrom<'wakeups'> extends `taut.${infer Q}` ? Q : never;

/** What OpenTelemetry is told of a metric. */
export function descriptor(name: MetricName) {
  const { unit, description } = METRICS[name];
  return { name, unit, description };
}

/** The names of the metrics whose values come from there. */
export function metricsFrom<S extends Metric['source']>(source: S): NameFrom<S>[] {
  return (Object.keys(METRICS) as MetricName[]).filter((name): name is NameFrom<S> => METRICS[name].source === source);
}

/** What one of the tracer's counters counts (`wakeup_recorded`, `discard_on_cpu`); nothing if it counts no outcome. */
function outcome(counter: string, value: number): Reading[] {
  const wakeup = { [semconv.ATTR_TAUT_TRACER_EVENT]: 'wakeup' };
  if (counter === 'wakeup_recorded')
    return [{ value, by: { ...wakeup, [semconv.ATTR_TAUT_TRACER_OUTCOME]: 'recorded' } }];
  const [, reason] = /^discard_(.+)$/.exec(counter) ?? [];
  if (reason === undefined) return [];
  const discarded = { [semconv.ATTR_TAUT_TRACER_OUTCOME]: 'discarded', [semconv.ATTR_TAUT_DISCARD_REASON]: reason };
  return [{ value, by: { ...wakeup, ...discarded } }];
}

function usedBy(part: string, method: string): Attributes {
  return { [semconv.ATTR_TAUT_SELF_PART]: part, [semconv.ATTR_TAUT_SELF_METHOD]: method };
}
