/**
 * Gives memory back to the host once many agents have gone. V8 frees what is dead when it needs room, and a taut that has
 * nothing to do needs none: it would hold what thousands of agents took for as long as it runs.
 */

/** What fewer agents take is not worth it. */
const MANY = 256;
/** Looks in a row, all with less than half of the agents: meanwhile their last counts are exported. */
const LOOKS = 6;

export class MemoryReturn {
  readonly #collect: () => void;
  #most = 0;
  #looks = 0;

  /** @param collect frees what is dead. Default: V8's collector, which taut's launcher makes callable. */
  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** Call periodically. @param agents how many there are now. */
  look(agents: number): void {
    this.#most = Math.max(this.#most, agents);
    this.#looks = this.#most >= MANY && agents < this.#most / 2 ? this.#looks + 1 : 0;
    if (this.#looks < LOOKS) return;
    this.#collect();
    this.#most = agents;
    this.#looks = 0;
  }
}

/** `last-resort`: a regular collection frees objects, and keeps the pages they were on. It takes some tens of milliseconds. */
function collectGarbage(): void {
  void globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' });
}
