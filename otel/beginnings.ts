/**
 * Finds when a cumulative series was still at zero. Backends compute an increase from two points, so a series that begins
 * with its first count seems to have had none: an agent that is in one export only would have done nothing.
 */
import type { HrTime } from '@opentelemetry/api';
import { hrTimeToMilliseconds, millisToHrTime } from '@opentelemetry/core';
import type { Exported } from './exported.ts';

interface Collection {
  readonly keys: ReadonlySet<string>;
  readonly atMs: number;
}

export class Beginnings {
  /** The last collection that was exported, and the last one. */
  #told: Collection = { keys: new Set(), atMs: 0 };
  #collected = this.#told;
  #keys = new Set<string>();

  constructor(exported: Exported) {
    exported.on(() => {
      this.#told = this.#collected;
    });
  }

  /**
   * The time of a point of zero that comes before the point of this collection; undefined when there is to be none, as
   * the last exported collection had the series.
   * @param start of the series. It was zero then, and still at the last exported collection, which did not have it.
   */
  of(key: string, start: HrTime, now: HrTime): HrTime | undefined {
    this.#keys.add(key);
    if (this.#told.keys.has(key)) return undefined;
    // A point at the start itself would have no duration.
    const atMs = Math.max(hrTimeToMilliseconds(start) + 1, this.#told.atMs);
    return atMs < hrTimeToMilliseconds(now) ? millisToHrTime(atMs) : undefined;
  }

  /** Call after each collection. */
  sweep(now: HrTime): void {
    this.#collected = { keys: this.#keys, atMs: hrTimeToMilliseconds(now) };
    this.#keys = new Set();
  }
}
