/**
 * What was counted of processes that are not measured any more, until the next collection takes it. One that is measured
 * again before that goes on with its series: two points of one series in one collection would be two writers of it.
 */
import type { TracedProcess } from './series.ts';

export class LetGo<T extends TracedProcess> {
  #last: T[] = [];

  add(last: T): void {
    this.#last.push(last);
  }

  /** The last of this very process by this very name, which is nobody's from then on; undefined when there is none. */
  resume({ pid, name, createdAtMs }: TracedProcess): T | undefined {
    const at = this.#last.findIndex((one) => one.pid === pid && one.name === name && one.createdAtMs === createdAtMs);
    return at < 0 ? undefined : this.#last.splice(at, 1)[0];
  }

  /** All of them, once. */
  take(): T[] {
    const taken = this.#last;
    this.#last = [];
    return taken;
  }
}
