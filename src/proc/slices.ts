import { setImmediate } from 'node:timers/promises';

/** So long work goes on before others have their turn: they wait no longer than this and one step. */
const SLICE_MS = 5;

/** Long work in slices of time, not of steps: a step may take a microsecond or a millisecond. */
export class Slices {
  #until = performance.now() + SLICE_MS;

  /** Between two steps: gives way to other work when the slice is used up. */
  async next(): Promise<void> {
    if (performance.now() < this.#until) return;
    await setImmediate();
    this.#until = performance.now() + SLICE_MS;
  }
}
