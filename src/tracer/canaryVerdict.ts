/**
 * Decides whether the tracer and the canary thread, which measures itself, agree about the same wakeups. Pure.
 *
 * Counts: the tracer must have counted the thread's wakeups, except those for which the kernel ran no program at one of
 * the steps. The tracer counts such a wakeup as unseen or as discarded. It does so only at the thread's next wakeup,
 * which may be in the next window; until then one missing wakeup is "owed". The discards are counted for all threads
 * together, so they excuse only a few wakeups. A wake with an involuntary switch but no voluntary one may or may not
 * have been a wakeup: both counts are accepted.
 *
 * Latency: the tracer reads the clock at sched_switch; the thread reads it later, by at most the CPU time that it used
 * in the sleeping call (accounting begins before that point). So the tracer's latency of a wakeup lies between the
 * thread's latency minus that CPU time, and the thread's latency. The same holds for each rank, as both sort the same
 * wakeups. The tracer knows a rank to within its bucket, 9% wide: both agree when bucket and interval overlap. A
 * tolerance of one rank is allowed, because only some kernels count an interrupt in the sleeping call as CPU time.
 */
import type { ExpHistogram } from './series.ts';

/** One sleep, measured by the thread's own clock. Times are nanoseconds. */
export interface Wake {
  readonly lateNs: number;
  /** CPU time that the thread used in the sleeping call. */
  readonly cpuNs: number;
  /** Voluntary and involuntary context switches in that call. */
  readonly sleeps: number;
  readonly preempted: number;
}

export interface CanaryWindow {
  readonly wakes: readonly Wake[];
  /** The tracer's histogram for the same time: the wakeup latency of only this thread. */
  readonly counted: ExpHistogram;
  /** Wakeups of any thread in this time for which the kernel ran no program. */
  readonly unseen: number;
  /** Wakeups of any thread in this time that were discarded because the kernel ran no program at one step. */
  readonly broken: number;
  /** Wakeups missing from the previous window for an unknown reason. */
  readonly owed: number;
  /** Whether the tracer measures from the deadline; otherwise it measures from sched_waking, which is later. */
  readonly fromDeadline: boolean;
}

const QUANTILES = [0.25, 0.5, 0.75];
const LEAST_RANKED = 8;
/** Discards excuse at most one in EXCUSED of the thread's wakeups: a tracer that discards them all is not reliable. */
const EXCUSED = 4;

export interface Verdict {
  /** What they disagree about; undefined when they agree. */
  readonly disagreement: string | undefined;
  /** The missing wakeups to pass to the next window. */
  readonly owed: number;
}

export function judge(window: CanaryWindow): Verdict {
  const { wakes, counted, unseen, broken, fromDeadline } = window;
  const slept = wakes.filter(({ sleeps }) => sleeps > 0);
  const perhaps = wakes.filter(({ sleeps, preempted }) => sleeps === 0 && preempted > 0).length;
  const excused = Math.min(broken, Math.ceil(slept.length / EXCUSED));
  const missing = Math.max(0, slept.length + window.owed - counted.count - unseen - excused);
  const mayBeOwed = missing === 1 && window.owed === 0 && counted.count > 0;
  if ((missing > 0 && !mayBeOwed) || counted.count > slept.length + perhaps) {
    const reasons = `${unseen} unseen, ${broken} discarded since a step of them was`;
    const disagreement = `of ${slept.length} wakeups of its own thread the tracer counted ${counted.count} (${reasons})`;
    return { disagreement, owed: 0 };
  }
  return { disagreement: latenessDiffers(slept, counted, fromDeadline), owed: missing };
}

function latenessDiffers(slept: readonly Wake[], counted: ExpHistogram, fromDeadline: boolean): string | undefined {
  const { count } = counted;
  if (count !== slept.length || count < LEAST_RANKED) return undefined;

  const ascending = (values: number[]) => values.toSorted((a, b) => a - b);
  const latest = ascending(slept.map(({ lateNs }) => lateNs));
  const earliest = ascending(
    slept.map(({ lateNs, cpuNs, preempted }) => (fromDeadline && preempted === 0 ? lateNs - cpuNs : 0)),
  );
  for (const q of QUANTILES) {
    const rank = Math.floor(q * count);
    const felt = latest[rank] ?? 0;
    const atLeast = earliest[rank] ?? 0;
    const above = bucketOf(counted, rank - 1).from;
    const upTo = bucketOf(counted, rank + 1).to;
    if (felt <= above) return differ(q, `at most ${us(felt)}`, `more than ${us(above)}`);
    if (atLeast > upTo) return differ(q, `at least ${us(atLeast)}`, `at most ${us(upTo)}`);
  }
  return undefined;
}

/** The bounds, in nanoseconds, of the bucket that holds the rank-th value; `rank` counts from 0 and is clamped. */
function bucketOf(h: ExpHistogram, rank: number): { from: number; to: number } {
  let left = Math.max(0, Math.min(rank, h.count - 1)) - h.zeroCount;
  if (left < 0) return { from: -1, to: 0 };
  const bound = (i: number) => 1e9 * 2 ** (i / 2 ** h.scale);
  for (const [i, n] of h.buckets.entries()) {
    if (left < n) return { from: bound(h.offset + i), to: bound(h.offset + i + 1) };
    left -= n;
  }
  return { from: 0, to: Number.POSITIVE_INFINITY };
}

function differ(q: number, own: string, tracers: string): string {
  return `the latency of its own thread, quantile ${q}, is ${own} by its own clock and ${tracers} by the tracer's`;
}

function us(ns: number): string {
  return `${(ns / 1e3).toFixed(1)} us`;
}
