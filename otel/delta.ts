/** Turns cumulative values into deltas. A delta starts at the last collection, or at the last that was exported. */
import type { HrTime } from '@opentelemetry/api';
import type { Exported } from './exported.ts';

interface Point<T> {
  readonly startTime: HrTime;
  readonly value: T;
}

export class DeltaOf<T> {
  readonly #subtract: (later: T, earlier: T) => T;
  #last = new Map<string, { value: T; at: HrTime }>();
  #seen = new Map<string, { value: T; at: HrTime }>();
  #collected = this.#last;
  readonly #waits: boolean;

  /** @param exported if it is given, deltas go on from a collection only when that was exported. */
  constructor(subtract: (later: T, earlier: T) => T, exported?: Exported) {
    this.#subtract = subtract;
    this.#waits = exported !== undefined;
    exported?.on(() => this.#goOn());
  }

  /** The delta of a series since the collection from which it goes on; the whole value, if it was not in that one. */
  next(key: string, { startTime, value }: Point<T>, now: HrTime): Point<T> {
    const last = this.#last.get(key);
    this.#seen.set(key, { value, at: now });
    if (!last) return { startTime, value };
    return { startTime: last.at, value: this.#subtract(value, last.value) };
  }

  /** Call after each collection: forgets series that were not in it. */
  sweep(): void {
    this.#collected = this.#seen;
    this.#seen = new Map();
    if (!this.#waits) this.#goOn();
  }

  #goOn(): void {
    this.#last = this.#collected;
  }
}
