/**
 * Keeps the last counts of processes that are not measured any more, until a collection takes them. A process
 * that is measured again before that continues its series, because one collection must not hold two points of a series.
 */
import type { TracedProcess } from './series.ts';

/** Whether both are the same process, and have the same name: then they are one series. */
export function isSame(one: TracedProcess, other: TracedProcess): boolean {
  return one.pid === other.pid && one.name === other.name && one.createdAtMs === other.createdAtMs;
}

export class LetGo<T extends TracedProcess> {
  #last: T[] = [];
  /** Those that the last collection had, and that stay until it was exported. */
  #shown: ReadonlySet<T> = new Set();

  get size(): number {
    return this.#last.length;
  }

  add(last: T): void {
    this.#last.push(last);
  }

  /** The last counts of exactly this process and name; undefined when there are none. */
  find(process: TracedProcess): T | undefined {
    return this.#last.find((one) => isSame(one, process));
  }

  /** Takes them out. */
  resume(process: TracedProcess): T | undefined {
    const at = this.#last.findIndex((one) => isSame(one, process));
    return at < 0 ? undefined : this.#last.splice(at, 1)[0];
  }

  /** All last counts. @param keep they stay here until `exported`. */
  take(keep = false): T[] {
    const taken = [...this.#last];
    if (keep) this.#shown = new Set(taken);
    else this.#last = [];
    return taken;
  }

  /** Takes out what was kept of the last collection. */
  exported(): void {
    this.#last = this.#last.filter((one) => !this.#shown.has(one));
    this.#shown = new Set();
  }
}
