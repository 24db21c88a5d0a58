/** Cumulative histograms as deltas: what was added since the last collection, which is where the delta starts. */
import type { HrTime } from '@opentelemetry/api';
import { subtract } from '../src/tracer/arithmetic.ts';
import type { ExpHistogram } from '../src/tracer/series.ts';

interface Point {
  readonly startTime: HrTime;
  readonly histogram: ExpHistogram;
}

export class DeltaOf {
  #last = new Map<string, { histogram: ExpHistogram; at: HrTime }>();
  #seen = new Map<string, { histogram: ExpHistogram; at: HrTime }>();

  /** The delta of a series to its last call; the first is the whole of it. */
  next(key: string, { startTime, histogram }: Point, now: HrTime): Point {
    const last = this.#last.get(key);
    this.#seen.set(key, { histogram, at: now });
    if (!last) return { startTime, histogram };
    return { startTime: last.at, histogram: subtract(histogram, last.histogram) };
  }

  /** After each collection: forgets series that were not in it. */
  sweep(): void {
    this.#last = this.#seen;
    this.#seen = new Map();
  }
}
