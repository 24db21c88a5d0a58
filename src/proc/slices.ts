/** Length of a slice in milliseconds: other work waits at most this long plus one step. */
const SLICE_MS = 5;

/** The end of the present slice, on the clock of `performance.now`. */
let untilMs = 0;
/** Work that waits for a slice, in the order in which it gets one. */
const waiting: (() => void)[] = [];

/**
 * Divides long work into slices of time instead of steps, because a step may take a microsecond or a millisecond. All work
 * that goes on at the same time shares one slice in a turn of the event loop: twenty with one each would block it for twenty.
 */
export class Slices {
  constructor() {
    if (waiting.length === 0 && performance.now() >= untilMs) untilMs = performance.now() + SLICE_MS;
  }

  /** Call between two steps: lets other work run when the slice is used up. */
  async next(): Promise<void> {
    if (performance.now() < untilMs) return;
    await new Promise<void>((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(begin);
    });
  }
}

/** Gives the slice of this turn to the work that has waited longest. */
function begin(): void {
  untilMs = performance.now() + SLICE_MS;
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(begin);
}
