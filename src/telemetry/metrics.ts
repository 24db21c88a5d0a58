/**
 * Every metric of taut, one entry each: where its values come from. How it is described is in `otel/registry/metrics.yaml`,
 * from which `npm run docs` makes `described.ts`.
 */
import type { Attributes } from '@opentelemetry/api';
import { DESCRIBED_METRICS as D } from './described.ts';
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

/** A value for each turn of an agent, recorded where the turn is over. */
interface OfTurns extends Description {
  readonly source: 'turns';
  readonly kind: 'exponential histogram';
}

export type Metric = OfWakeups | OfCanary | OfSchedstat | Observed | OfDelivery | Counted | OfTurns;

export const METRICS = {
  'taut.timer.lateness': { ...D['taut.timer.lateness'], source: 'wakeups' },
  'taut.timer.slack_use': { ...D['taut.timer.slack_use'], source: 'wakeups' },
  'taut.timer.overrun': { ...D['taut.timer.overrun'], source: 'wakeups' },
  'taut.wakeup.latency': { ...D['taut.wakeup.latency'], source: 'wakeups' },
  'taut.wakeup.hand_over': { ...D['taut.wakeup.hand_over'], source: 'wakeups' },
  'taut.wakeup.run_queue_delay': { ...D['taut.wakeup.run_queue_delay'], source: 'wakeups' },
  'taut.agent.count': {
    ...D['taut.agent.count'],
    source: 'observed',
    observe: ({ agents }) =>
      agents().map(({ attachPath, isTuned }) => ({
        value: 1,
        by: { [semconv.ATTR_TAUT_ATTACH_PATH]: attachPath, [semconv.ATTR_TAUT_TUNED]: isTuned },
      })),
  },
  'taut.thread.count': {
    ...D['taut.thread.count'],
    source: 'observed',
    observe: ({ threads }) =>
      threads().map(({ knob, state, count }) => ({
        value: count,
        by: { [semconv.ATTR_TAUT_KNOB]: knob, [semconv.ATTR_TAUT_THREAD_STATE]: state },
      })),
  },
  'taut.operations': { ...D['taut.operations'], source: 'counted' },
  'taut.inherited.cpu': { ...D['taut.inherited.cpu'], source: 'counted' },
  'taut.turn.run_queue_delay': { ...D['taut.turn.run_queue_delay'], source: 'turns' },
  'taut.off': {
    ...D['taut.off'],
    source: 'observed',
    observe: ({ isOff }) => {
      const off = isOff();
      return off === undefined ? [] : [{ value: off ? 1 : 0 }];
    },
  },
  'taut.flags.ready': {
    ...D['taut.flags.ready'],
    source: 'observed',
    observe: ({ hasFlags }) => {
      const ready = hasFlags();
      return ready === undefined ? [] : [{ value: ready ? 1 : 0 }];
    },
  },
  'taut.tracer.events': {
    ...D['taut.tracer.events'],
    source: 'observed',
    observe: ({ tracerCounters }) => [...tracerCounters()].flatMap(([counter, value]) => outcome(counter, value)),
  },
  'taut.tracer.degraded': {
    ...D['taut.tracer.degraded'],
    source: 'observed',
    observe: ({ isDegraded }) => {
      const degraded = isDegraded();
      return degraded === undefined ? [] : [{ value: degraded ? 1 : 0 }];
    },
  },
  'taut.canary.latency': { ...D['taut.canary.latency'], source: 'canary' },
  'taut.run_queue.time': {
    ...D['taut.run_queue.time'],
    source: 'schedstat',
    read: ({ waitedNs }: Waited) => Number(waitedNs) / 1e9,
  },
  'taut.run_queue.timeslices': {
    ...D['taut.run_queue.timeslices'],
    source: 'schedstat',
    read: ({ timeslices }: Waited) => timeslices,
  },
  'taut.telemetry.dropped': { ...D['taut.telemetry.dropped'], source: 'counted' },
  'process.cpu.time': {
    ...D['process.cpu.time'],
    source: 'observed',
    observe: ({ ownCpu }) => {
      const { user, system } = ownCpu();
      return [
        { value: user, by: { [semconv.ATTR_CPU_MODE]: 'user' } },
        { value: system, by: { [semconv.ATTR_CPU_MODE]: 'system' } },
      ];
    },
  },
  'taut.tracer.cpu.time': {
    ...D['taut.tracer.cpu.time'],
    source: 'observed',
    observe: ({ kernelCpu }) => {
      const kernel = kernelCpu();
      return kernel ? [{ value: kernel.seconds, by: { [semconv.ATTR_TAUT_SELF_METHOD]: kernel.method } }] : [];
    },
  },
  'taut.telemetry.waiting.count': {
    ...D['taut.telemetry.waiting.count'],
    source: 'delivery',
    read: ({ items }: Waiting) => items,
  },
  'taut.telemetry.waiting.size': {
    ...D['taut.telemetry.waiting.size'],
    source: 'delivery',
    read: ({ bytes }: Waiting) => bytes,
  },
  'taut.self.cpu': {
    ...D['taut.self.cpu'],
    source: 'observed',
    observe: ({ ownCpu, kernelCpu }) => {
      const [own, kernel] = [ownCpu(), kernelCpu()];
      const user = { value: own.user + own.system, by: usedBy('user', 'measured') };
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
