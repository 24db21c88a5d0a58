import { setImmediate } from 'node:timers/promises';

/** Length of a slice in milliseconds: other work waits at most this long plus one step. */
const SLICE_MS = 5;

/** Divides long work into slices of time instead of steps, because a step may take a microsecond or a millisecond. */
export class Slices {
  #until = performance.now() + SLICE_MS;

  /** Call between two steps: lets other work run when the slice is used up. */
  async next(): Promise<void> {
    if (performance.now() < this.#until) return;
    await setImmediate();
    this.#until = performance.now() + SLICE_MS;
  }
}
