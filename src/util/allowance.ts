/** How often each of many may do something: so many at once, and so many a second over time. Bounded in memory. */
import { BoundedMap } from './boundedMap.ts';

export interface Rate {
  /** Most at once, after a time without any. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Those who have done nothing for longest are forgotten first: they have all of their allowance again. */
const MOST = 4_096;

interface Left {
  readonly n: number;
  /** Milliseconds, by the caller's clock. */
  readonly atMs: number;
}

export class Allowance<Key> {
  readonly #rate: Rate;
  readonly #left = new BoundedMap<Key, Left>(MOST);

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Whether this one may do it once more now; that counts. */
  take(key: Key, nowMs: number): boolean {
    const { burst, perSecond } = this.#rate;
    const { n, atMs } = this.#left.get(key) ?? { n: burst, atMs: nowMs };
    const now = Math.min(burst, n + (Math.max(0, nowMs - atMs) / 1_000) * perSecond);
    const may = now >= 1;
    this.#left.set(key, { n: may ? now - 1 : now, atMs: Math.max(atMs, nowMs) });
    return may;
  }
}
