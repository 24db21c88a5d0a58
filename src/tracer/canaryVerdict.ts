/**
 * Whether the tracer and a thread that kept time by itself agree about the same wakeups. Pure.
 *
 * Counts: as many as the thread made, less those for which the kernel ran no program at one of the steps. Such a wakeup is
 * counted itself: as unseen, or as discarded for what was missing. That shows at the thread's next wakeup, which may be in
 * the next window, so one that is missing is owed until then. The discards are counted for all threads together, so they
 * excuse no more than a few. Of a wake without a voluntary switch but with an involuntary one it can't be told whether it
 * was a wakeup: it may be either.
 *
 * Latency: the thread reads its clock after the tracer has read its own at sched_switch, and later by no more than the CPU
 * time that it used in the sleeping call, which is accounted from before that point on. So each wakeup lies between what
 * the thread felt less that CPU time and what it felt; and as both order the same wakeups, so does each rank. The tracer
 * knows a rank to within its bucket, 9% wide: the two agree when bucket and interval meet. One rank of room is given, as
 * an interrupt in the sleeping call is CPU time to some kernels and none to others.
 */
import type { ExpHistogram } from './series.ts';

/** One sleep by the thread's own clock. Nanoseconds. */
export interface Wake {
  readonly lateNs: number;
  /** CPU time that the thread used in the call that slept. */
  readonly cpuNs: number;
  /** Switches in it, voluntary and not. */
  readonly sleeps: number;
  readonly preempted: number;
}

export interface CanaryWindow {
  readonly wakes: readonly Wake[];
  /** What the tracer counted of the same time: the wakeup latency of just this thread. */
  readonly counted: ExpHistogram;
  /** Wakeups of any thread in this time for which the kernel ran no program. */
  readonly unseen: number;
  /** Wakeups of any thread in this time that were discarded since no program was run at one step of them. */
  readonly broken: number;
  /** Wakeups that were missing from the window before, with nothing to say why yet. */
  readonly owed: number;
  /** Whether the tracer counts from the deadline on; otherwise from sched_waking, which is later. */
  readonly fromDeadline: boolean;
}

const QUANTILES = [0.25, 0.5, 0.75];
const LEAST_RANKED = 8;
/** Of its own wakeups, at most one in so many may be excused by discards: a tracer that discards them all is no good. */
const EXCUSED = 4;

export interface Verdict {
  /** What they disagree about; undefined when they agree. */
  readonly disagreement: string | undefined;
  /** For the next window. */
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

/** The bounds of the bucket, nanoseconds, in which the rank-th value lies (from 0; ranks beyond the ends are the ends). */
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
