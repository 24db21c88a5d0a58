/**
 * Keeps the last counts of processes that are not measured any more, until the next collection takes them. A process
 * that is measured again before that continues its series, because one collection must not hold two points of a series.
 */
import type { TracedProcess } from './series.ts';

export class LetGo<T extends TracedProcess> {
  #last: T[] = [];

  get size(): number {
    return this.#last.length;
  }

  add(last: T): void {
    this.#last.push(last);
  }

  /** Takes out the last counts of exactly this process and name; undefined when there are none. */
  resume({ pid, name, createdAtMs }: TracedProcess): T | undefined {
    const at = this.#last.findIndex((one) => one.pid === pid && one.name === name && one.createdAtMs === createdAtMs);
    return at < 0 ? undefined : this.#last.splice(at, 1)[0];
  }

  /** Takes out all last counts. */
  take(): T[] {
    const taken = this.#last;
    this.#last = [];
    return taken;
  }
}
