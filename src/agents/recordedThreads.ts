/**
 * The threads that this taut knows to be in the ledger, so that each is counted once when it enters and once when it
 * leaves. Therefore, for each knob: threads tuned = threads put back (or found drifted or vanished at that time)
 * + threads that ended while they were in the ledger + threads that are in the ledger now.
 */
import type { ThreadIdentity } from '../actuator/ledger.ts';
import type { Restored } from '../actuator/restore.ts';
import type { Operations } from './operations.ts';

type Recorded = ThreadIdentity & { readonly knob: string };

const keyOf = ({ knob, tid, startTicks }: Recorded) => `${knob} ${tid} ${startTicks}`;

export class RecordedThreads {
  readonly #operations: Operations;
  readonly #keys: Set<string>;

  /** @param left threads that an earlier taut could not put back. */
  constructor(operations: Operations, left: readonly Recorded[]) {
    this.#operations = operations;
    this.#keys = new Set(left.map(keyOf));
  }

  /** @returns whether the thread is new. */
  add(thread: Recorded): boolean {
    const key = keyOf(thread);
    const isNew = !this.#keys.has(key);
    this.#keys.add(key);
    return isNew;
  }

  /** Counts threads that have ended and were removed from the ledger. */
  ended(threads: readonly Recorded[]): void {
    const was = threads.filter((thread) => this.#keys.delete(keyOf(thread)));
    for (const [knob, { length }] of Map.groupBy(was, (thread) => thread.knob))
      this.#operations.count('forget', 'vanished', length, knob);
  }

  /** Threads of a process that have another identity now: that of its leader, which has ended. */
  carriedOver(threads: readonly Recorded[], leader: ThreadIdentity): void {
    for (const thread of threads) {
      if (!this.#keys.delete(keyOf(thread))) continue;
      const now = { ...leader, knob: thread.knob };
      this.ended([now]); // the leader's end was not reported
      this.#keys.add(keyOf(now));
    }
  }

  /** Forgets threads that were put back (`account` counts these). Threads that failed stay in the ledger. */
  restored(results: readonly Restored[]): void {
    for (const result of results) if (result.outcome !== 'failed') this.#keys.delete(keyOf(result));
  }
}
