/** Turns cumulative values into deltas. A delta starts at the last collection. */
import type { HrTime } from '@opentelemetry/api';

interface Point<T> {
  readonly startTime: HrTime;
  readonly value: T;
}

export class DeltaOf<T> {
  readonly #subtract: (later: T, earlier: T) => T;
  #last = new Map<string, { value: T; at: HrTime }>();
  #seen = new Map<string, { value: T; at: HrTime }>();

  constructor(subtract: (later: T, earlier: T) => T) {
    this.#subtract = subtract;
  }

  /** The delta of a series since its last call; the first call gives the whole value. */
  next(key: string, { startTime, value }: Point<T>, now: HrTime): Point<T> {
    const last = this.#last.get(key);
    this.#seen.set(key, { value, at: now });
    if (!last) return { startTime, value };
    return { startTime: last.at, value: this.#subtract(value, last.value) };
  }

  /** Call after each collection: forgets series that were not in it. */
  sweep(): void {
    this.#last = this.#seen;
    this.#seen = new Map();
  }
}
