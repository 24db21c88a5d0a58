/** Adds and subtracts histograms, and computes quantiles. Pure. */
import type { ExpHistogram } from './series.ts';

const EMPTY = { offset: 0, buckets: [], zeroCount: 0, count: 0, sumNs: 0n, minNs: undefined, maxNs: undefined };

/** The sum of both. Their scales must be equal, as all of the tracer's are. @throws RangeError if not */
export function add(a: ExpHistogram, b: ExpHistogram): ExpHistogram {
  const mins = [a.minNs, b.minNs].filter((v) => v !== undefined);
  const maxs = [a.maxNs, b.maxNs].filter((v) => v !== undefined);
  return {
    ...combine(a, b, 1),
    sumNs: a.sumNs + b.sumNs,
    minNs: mins.length > 0 ? mins.reduce((x, y) => (x < y ? x : y)) : undefined,
    maxNs: maxs.length > 0 ? maxs.reduce((x, y) => (x > y ? x : y)) : undefined,
  };
}

/**
 * What was counted between two snapshots of one cumulative series. Its min and max are not known, and undefined.
 */
export function subtract(later: ExpHistogram, earlier: ExpHistogram): ExpHistogram {
  return { ...combine(later, earlier, -1), sumNs: later.sumNs - earlier.sumNs, minNs: undefined, maxNs: undefined };
}

export function empty(scale: number): ExpHistogram {
  return { scale, ...EMPTY };
}

/**
 * The q-quantile in seconds (0 <= q <= 1), interpolated on the logarithmic scale within its bucket as Prometheus does
 * for native histograms; undefined when nothing was counted.
 */
export function quantile(h: ExpHistogram, q: number): number | undefined {
  if (h.count === 0) return undefined;
  let rank = q * h.count - h.zeroCount;
  if (rank <= 0 && h.zeroCount > 0) return 0;
  const base = 2 ** (2 ** -h.scale);
  for (const [i, n] of h.buckets.entries()) {
    if (n > 0 && rank <= n) return base ** (h.offset + i + Math.max(0, rank) / n);
    rank -= n;
  }
  return base ** (h.offset + h.buckets.length);
}

function combine(a: ExpHistogram, b: ExpHistogram, sign: 1 | -1) {
  if (a.scale !== b.scale) throw new RangeError(`histograms of scales ${a.scale} and ${b.scale}`);
  const from = Math.min(...[a, b].filter((h) => h.buckets.length > 0).map((h) => h.offset));
  const to = Math.max(...[a, b].filter((h) => h.buckets.length > 0).map((h) => h.offset + h.buckets.length));
  const at = (h: ExpHistogram, i: number) => h.buckets[i - h.offset] ?? 0;
  const all = Number.isFinite(from)
    ? Array.from({ length: to - from }, (_, i) => at(a, from + i) + sign * at(b, from + i))
    : [];
  const first = all.findIndex((n) => n !== 0);
  const buckets = first < 0 ? [] : all.slice(first, all.findLastIndex((n) => n !== 0) + 1);
  return {
    scale: a.scale,
    offset: first < 0 ? 0 : from + first,
    buckets,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    count: a.count + sign * b.count,
  };
}
