/**
 * The threads that this taut knows to be on record, so that each is counted once as it comes on it and once as it leaves
 * it. Thus, for each knob, threads tuned = threads put back (or found drifted or vanished then) + threads that ended while
 * they were on record + threads that are on record.
 */
import type { ThreadIdentity } from '../actuator/ledger.ts';
import type { Restored } from '../actuator/restore.ts';
import type { Signals } from './signals.ts';

type Recorded = ThreadIdentity & { readonly knob: string };

const keyOf = ({ knob, tid, startTicks }: Recorded) => `${knob} ${tid} ${startTicks}`;

export class OnRecord {
  readonly #signals: Signals;
  readonly #keys: Set<string>;

  /** @param left what an earlier taut could not put back. */
  constructor(signals: Signals, left: readonly Recorded[]) {
    this.#signals = signals;
    this.#keys = new Set(left.map(keyOf));
  }

  /** @returns whether it was not on record before. */
  add(thread: Recorded): boolean {
    const key = keyOf(thread);
    const isNew = !this.#keys.has(key);
    this.#keys.add(key);
    return isNew;
  }

  /** These have ended, and were taken off the record: counted. */
  ended(threads: readonly Recorded[]): void {
    const was = threads.filter((thread) => this.#keys.delete(keyOf(thread)));
    for (const [knob, { length }] of Map.groupBy(was, (thread) => thread.knob))
      this.#signals.operation('forget', 'vanished', length, knob);
  }

  /** These were put back, which is counted where it is told. What failed is on record still. */
  restored(results: readonly Restored[]): void {
    for (const result of results) if (result.outcome !== 'failed') this.#keys.delete(keyOf(result));
  }
}
