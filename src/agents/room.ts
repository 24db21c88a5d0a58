/** How many agents there is room for. Those beyond are left alone and counted, and looked at again when there is room. */
import { DESCRIPTORS_REMEDY } from '../proc/descriptors.ts';
import type { Log } from '../util/log.ts';
import type { Operations } from './operations.ts';

export class Room {
  readonly #most: number;
  readonly #log: Log;
  readonly #operations: Operations;
  #isFull = false;

  /** @param most the number of agents at a time. */
  constructor(most: number, log: Log, operations: Operations) {
    this.#most = most;
    this.#log = log;
    this.#operations = operations;
  }

  /** Whether one more agent fits beside those that are `present`. Logs the first that does not. */
  fits(present: number, name: string, pid: number): boolean {
    if (present < this.#most) return true;
    this.#operations.count('attach', 'no_room');
    if (!this.#isFull)
      this.#log.warn(
        `there is room for ${this.#most} agents: ${name} (${pid}) and others are left alone until one ends; for more, ${DESCRIPTORS_REMEDY}`,
      );
    this.#isFull = true;
    return false;
  }

  /** Whether agents were left alone and there is room now: then every process is to be looked at. Says so once. */
  hasAgain(present: number): boolean {
    if (!this.#isFull || present >= this.#most) return false;
    this.#isFull = false;
    return true;
  }
}
