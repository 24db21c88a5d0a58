/** What an agent's threads waited for between two snapshots of its histograms, in the numbers of a `wakeups` span. Pure. */
import { add, quantile, subtract } from '../tracer/arithmetic.ts';
import type { ExpHistogram, Series } from '../tracer/series.ts';
import { keyOf } from '../tracer/seriesBySetting.ts';

/** Seconds. `max` is exact where nothing before was longer; else it is the bound of its bucket, 9% above it at most. */
export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** How many wakeups; of sampled ones it is estimated. */
export interface TurnWakeups {
  readonly total: number;
  /** By what woke the thread, and timers by their slack class; undefined where timers are not measured. */
  readonly bySource: Readonly<Record<WokenBy, number>> | undefined;
}

export const WOKEN_BY = ['other', 'timer_reachable', 'timer_reachable_tuned', 'timer_beyond', 'timer_none'] as const;
export type WokenBy = (typeof WOKEN_BY)[number];

export interface TurnWaits {
  readonly wakeups: TurnWakeups;
  /** Undefined where nothing was counted. */
  readonly lateness: Spread | undefined;
  readonly runQueue: Spread | undefined;
  /** All run-queue delays together, seconds: those of several threads count each. */
  readonly lost: number;
  /** The largest factor by which counts are estimated; undefined: every wakeup was recorded. */
  readonly factor: number | undefined;
}

/** What was counted of one process from the earlier snapshot to the later one. */
export function since(later: readonly Series[], earlier: readonly Series[]): Series[] {
  const before = new Map(earlier.map((one) => [keyOf(one), one.histogram]));
  return later.flatMap((one) => {
    const histogram = between(one.histogram, before.get(keyOf(one)));
    return histogram.count > 0 ? [{ ...one, histogram }] : [];
  });
}

function between(later: ExpHistogram, earlier: ExpHistogram | undefined): ExpHistogram {
  const added = earlier ? subtract(later, earlier) : later;
  if (added.count === 0) return added;
  const isLongest = later.maxNs !== undefined && (earlier?.maxNs === undefined || later.maxNs > earlier.maxNs);
  const bound = boundNs(added);
  const maxNs = later.maxNs !== undefined && (isLongest || later.maxNs < bound) ? later.maxNs : bound;
  return { ...added, maxNs };
}

/** The upper bound of the highest bucket that has something, nanoseconds. */
function boundNs({ scale, offset, buckets }: ExpHistogram): bigint {
  return buckets.length === 0 ? 0n : BigInt(Math.ceil(2 ** ((offset + buckets.length) * 2 ** -scale) * 1e9));
}

/** @param series what was counted in the turn, of all processes; @param hasTimers whether timers are measured. */
export function turnWaits(series: readonly Series[], hasTimers: boolean): TurnWaits {
  const of = (name: Series['quantity']) => series.filter(({ quantity }) => quantity === name);
  const [queue, latency] = [of('wakeup.run_queue_delay'), of('wakeup.latency')];
  const factor = Math.max(1, ...series.map(factorOf));
  return {
    wakeups: { total: counted(queue), bySource: hasTimers ? bySource(latency) : undefined },
    lateness: spread(of('timer.lateness')),
    runQueue: spread(queue),
    lost: queue.reduce((sum, one) => sum + factorOf(one) * Number(one.histogram.sumNs), 0) / 1e9,
    factor: factor > 1 ? factor : undefined,
  };
}

const factorOf = ({ shed }: Series) => shed?.factor ?? 1;

function counted(series: readonly Series[]): number {
  return series.reduce((sum, one) => sum + factorOf(one) * one.histogram.count, 0);
}

function bySource(latency: readonly Series[]): Record<WokenBy, number> {
  const of = (by: WokenBy) => counted(latency.filter((one) => wokenBy(one) === by));
  return Object.fromEntries(WOKEN_BY.map((by) => [by, of(by)])) as Record<WokenBy, number>;
}

function wokenBy({ source, slackClass, tuned }: Series): WokenBy {
  if (source !== 'timer' || slackClass === undefined) return 'other';
  return slackClass === 'reachable' && tuned ? 'timer_reachable_tuned' : `timer_${slackClass}`;
}

function spread(series: readonly Series[]): Spread | undefined {
  const [first, ...others] = series.map(({ histogram }) => histogram);
  if (!first) return undefined;
  const all = others.reduce(add, first);
  const max = Number(all.maxNs ?? 0n) / 1e9;
  const at = (q: number) => Math.min(max, quantile(all, q) ?? 0);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max };
}
