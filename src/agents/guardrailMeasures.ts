/** What the guardrail looks at: readings of counters, and what they come to in a window. Pure. */
import type { Measure, MeasureOfAgent, MeasureOfHost } from '../config/guardrail.ts';
import type { HostLoad } from '../proc/hostLoad.ts';
import { add, quantile, subtract } from '../tracer/arithmetic.ts';
import type { AgentSnapshot, ExpHistogram, Quantity } from '../tracer/series.ts';

interface Described {
  /** What it is, after "its" or "the host's". */
  readonly title: string;
  /** A difference up to this is nobody's harm, whatever part of the value it is. In the unit of the value. */
  readonly floor: number;
  readonly format: (value: number) => string;
}

const ms = (seconds: number) => `${(1e3 * seconds).toPrecision(3)} ms`;
const perSecond = (n: number) => `${n.toFixed(0)}/s`;
const percent = (part: number) => `${(100 * part).toFixed(1)}%`;

export const MEASURES: Readonly<Record<Measure, Described>> = {
  runQueueDelay: { title: 'run-queue delay (p99)', floor: 100e-6, format: ms },
  wakeupLatency: { title: 'wakeup latency (p99)', floor: 100e-6, format: ms },
  cpu: { title: 'CPU use', floor: 0.01, format: (cores) => `${percent(cores)} of a core` },
  contextSwitches: { title: 'context switches', floor: 100, format: perSecond },
  interrupts: { title: 'interrupts', floor: 100, format: perSecond },
  hostRunQueueDelay: { title: 'run-queue delay (mean)', floor: 20e-6, format: ms },
  cpuPressure: { title: 'CPU pressure', floor: 0.02, format: percent },
};

/** Counted since the agent was attached, or began. */
export interface Reading {
  readonly atMs: number;
  readonly cpuSeconds: number | undefined;
  readonly runQueueDelay: ExpHistogram | undefined;
  readonly wakeupLatency: ExpHistogram | undefined;
}

export type HostReading = HostLoad & { readonly atMs: number };

/** @param snapshot undefined for an agent without series of its own. */
export function readingOf(atMs: number, cpuSeconds: number | undefined, snapshot: AgentSnapshot | undefined): Reading {
  const all = (quantity: Quantity) =>
    snapshot?.series
      .filter((one) => one.quantity === quantity)
      .map(({ histogram }) => histogram)
      .reduce<ExpHistogram | undefined>((a, b) => (a ? add(a, b) : b), undefined);
  return { atMs, cpuSeconds, runQueueDelay: all('wakeup.run_queue_delay'), wakeupLatency: all('wakeup.latency') };
}

/** The value of each measure in a window; those that can't be told are left out. */
export type Values<M extends Measure = Measure> = Readonly<Partial<Record<M, number>>>;

export function valuesOfAgent(from: Reading, to: Reading): Values<MeasureOfAgent> {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const cpu =
    from.cpuSeconds === undefined || to.cpuSeconds === undefined
      ? undefined
      : (to.cpuSeconds - from.cpuSeconds) / seconds;
  return known({
    cpu,
    runQueueDelay: p99(from.runQueueDelay, to.runQueueDelay),
    wakeupLatency: p99(from.wakeupLatency, to.wakeupLatency),
  });
}

export function valuesOfHost(from: HostReading, to: HostReading): Values<MeasureOfHost> {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const turns = (to.queue?.turns ?? 0) - (from.queue?.turns ?? 0);
  return known({
    contextSwitches: (to.contextSwitches - from.contextSwitches) / seconds,
    interrupts: (to.interrupts - from.interrupts) / seconds,
    hostRunQueueDelay:
      from.queue && to.queue && turns > 0 ? (to.queue.waitedNs - from.queue.waitedNs) / turns / 1e9 : undefined,
    cpuPressure:
      from.pressureUs === undefined || to.pressureUs === undefined
        ? undefined
        : (to.pressureUs - from.pressureUs) / 1e6 / seconds,
  });
}

function p99(from: ExpHistogram | undefined, to: ExpHistogram | undefined): number | undefined {
  const window = from && to ? subtract(to, from) : to;
  // Of few wakeups it is the worst one. They count all the same: who hardly gets a CPU is woken seldom.
  return window && quantile(window, 0.99);
}

function known<M extends Measure>(values: Readonly<Record<M, number | undefined>>): Values<M> {
  return Object.fromEntries(
    Object.entries<number | undefined>(values).filter(([, value]) => value !== undefined && Number.isFinite(value)),
  ) as Values<M>;
}
