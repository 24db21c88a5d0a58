/**
 * Descendants of a tuned command whose parents end before the kernel's events begin. They become children of taut
 * instead of init, so that taut finds them and puts them back.
 */
import { addon, check } from '../../native.ts';
import { childrenOf } from '../../proc/ancestry.ts';
import type { BornWith } from './firstTune.ts';

export class Orphans {
  readonly #isWaitedFor: (pid: number) => boolean;

  /** @param isWaitedFor whether Node waits for this child. @throws TautError */
  constructor(isWaitedFor: (pid: number) => boolean) {
    this.#isWaitedFor = isWaitedFor;
    check(addon().adoptOrphans(true), 'become the parent of orphans');
    process.on('SIGCHLD', () => setImmediate(() => this.#reap())); // after Node has waited for its own children
  }

  /** From now on orphans become children of init again. Those that taut already has stay. */
  takeNoMore(): void {
    addon().adoptOrphans(false);
  }

  /** Puts back the values that descendants were born with, except in agents and their descendants. */
  contain(born: readonly BornWith[], isAgent: (pid: number) => boolean): void {
    for (const { containment, inheritance } of born) containment.tree(process.pid, inheritance, isAgent);
  }

  #reap(): void {
    // Does nothing to a child that still runs.
    for (const pid of childrenOf(process.pid)) if (!this.#isWaitedFor(pid)) addon().reap(pid);
  }
}
