/** Gives out the slots for the agents' series, numbered from 1. */

/** A slot is reused only after this time: by then no BPF program that read it from its old agent is still running. */
const REST_MS = 1_000;

export class Slots {
  readonly #limit: number;
  /** When each slot was given back. */
  readonly #given = new Map<number, number>();
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the lowest free slot, so that higher ones can be done without; undefined when all are taken. */
  take(nowMs = performance.now()): number | undefined {
    let lowest = Number.POSITIVE_INFINITY;
    for (const [slot, atMs] of this.#given) if (slot < lowest && nowMs - atMs >= REST_MS) lowest = slot;
    if (this.#given.delete(lowest)) return lowest;
    return this.#used < this.#limit ? ++this.#used : undefined;
  }

  give(slot: number, nowMs = performance.now()): void {
    this.#given.set(slot, nowMs);
  }

  /** Whether none of these slots is in use, or was a moment ago. */
  isIdle(first: number, last: number, nowMs = performance.now()): boolean {
    for (let slot = first; slot <= Math.min(last, this.#used); slot++)
      if (nowMs - (this.#given.get(slot) ?? nowMs) < REST_MS) return false;
    return true;
  }
}
