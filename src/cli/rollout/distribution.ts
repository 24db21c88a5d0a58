/** Histograms of whatever buckets on common cells, so that they can be added, and what is read of the sum. Pure. */

/** Holds the values above `left` up to `right`, in seconds. */
export interface Bucket {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** How many values are in each cell. */
export type Counts = Float64Array;

export class Cells {
  /** Cell i reaches from bound i to bound i + 1. */
  readonly #bounds: readonly number[];

  /** @param histograms all that are to be added: each of their bounds is a cell's. */
  constructor(histograms: Iterable<readonly Bucket[]>) {
    const bounds = new Set<number>();
    for (const buckets of histograms) for (const { left, right } of buckets) bounds.add(Math.max(0, left)).add(right);
    this.#bounds = [...bounds].toSorted((a, b) => a - b);
  }

  empty(): Counts {
    return new Float64Array(Math.max(0, this.#bounds.length - 1));
  }

  /** Adds a histogram. A bucket that is wider than a cell is spread over its cells. */
  add(to: Counts, buckets: readonly Bucket[], factor = 1): void {
    for (const { left: from, right, count } of buckets) {
      const left = Math.max(0, from);
      for (let i = this.#indexOf(left); i < to.length && this.#at(i) < right; i++)
        to[i] = (to[i] ?? 0) + factor * count * (below(left, right, this.#at(i + 1)) - below(left, right, this.#at(i)));
    }
  }

  /** The q-quantile in seconds (0 <= q <= 1); NaN when there is no value. That of a last bucket without an end is its beginning. */
  quantile(counts: Counts, q: number): number {
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (!(total > 0)) return Number.NaN;
    let rank = q * total;
    for (const [i, count] of counts.entries()) {
      if (count > 0 && rank <= count) return within(this.#at(i), this.#at(i + 1), rank / count);
      rank -= count;
    }
    const last = counts.findLastIndex((count) => count > 0);
    return within(this.#at(last), this.#at(last + 1), 1);
  }

  /** The share of the values above `limit`, in seconds; NaN when there is no value. */
  shareAbove(counts: Counts, limit: number): number {
    let [above, total] = [0, 0];
    for (const [i, count] of counts.entries()) {
      total += count;
      above += count * (1 - below(this.#at(i), this.#at(i + 1), limit));
    }
    return above / total;
  }

  #at(i: number): number {
    return this.#bounds[i] ?? Number.POSITIVE_INFINITY;
  }

  #indexOf(bound: number): number {
    let [low, high] = [0, this.#bounds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(middle) < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The share of a bucket's values that is up to `x`: values are taken for even on a logarithmic scale, as Prometheus does. */
function below(left: number, right: number, x: number): number {
  if (x <= left) return 0;
  if (x >= right) return 1;
  if (right === Number.POSITIVE_INFINITY) return 0;
  return left === 0 ? x / right : Math.log(x / left) / Math.log(right / left);
}

/** The value below which that share of a bucket's values is. */
function within(left: number, right: number, share: number): number {
  if (right === Number.POSITIVE_INFINITY) return left;
  return left === 0 ? right * share : left * (right / left) ** share;
}

/** Classic buckets count all values up to a bound (`le`). */
export function fromClassic(cumulative: readonly { readonly le: number; readonly count: number }[]): Bucket[] {
  const sorted = cumulative.toSorted((a, b) => a.le - b.le);
  return sorted.map(({ le, count }, i) => {
    const before = sorted[i - 1];
    return { left: before?.le ?? 0, right: le, count: count - (before?.count ?? 0) };
  });
}
