/** Logs failures that may come in thousands: each kind at most once a minute, with the number left out since then. */
import { BoundedMap } from './boundedMap.ts';
import type { Log } from './log.ts';

const AGAIN_AFTER_MS = 60_000;
const MAX_KINDS = 64;

interface Said {
  readonly atMs: number;
  unsaid: number;
}

export class FailureLog {
  readonly #log: Log;
  readonly #now: () => number;
  /** Kinds of failures, oldest message first. */
  readonly #said = new BoundedMap<string, Said>(MAX_KINDS);

  /** @param now milliseconds of a clock that never goes back. */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** Two failures are of one kind when their texts differ only in numbers (process ids, descriptors). */
  say(message: string): void {
    const kind = message.replace(/\d+/g, '#');
    const before = this.#said.get(kind);
    if (before && this.#now() - before.atMs < AGAIN_AFTER_MS) {
      before.unsaid++;
      return;
    }
    this.#said.set(kind, { atMs: this.#now(), unsaid: 0 });
    const more = before?.unsaid ? ` (and ${before.unsaid} times more since it was last said)` : '';
    this.#log.error(`${message}${more}`);
  }
}
