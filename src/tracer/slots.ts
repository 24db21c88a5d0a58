/** Gives out the slots for the agents' series, numbered from 1. */

/** A slot is reused only after this time: by then no BPF program that read it from its old agent is still running. */
const REST_MS = 1_000;

export class Slots {
  readonly #limit: number;
  /** Oldest first. */
  readonly #given: { slot: number; atMs: number }[] = [];
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a free slot; undefined when all are taken. */
  take(nowMs = performance.now()): number | undefined {
    const oldest = this.#given[0];
    if (oldest && nowMs - oldest.atMs >= REST_MS) {
      this.#given.shift();
      return oldest.slot;
    }
    return this.#used < this.#limit ? ++this.#used : undefined;
  }

  give(slot: number, nowMs = performance.now()): void {
    this.#given.push({ slot, atMs: nowMs });
  }
}
