/** Notes about processes that /proc does not give. Bounded; checked by start time, so a reused id does not get them. */
import { BoundedMap } from '../util/boundedMap.ts';

const MAX_PROCESSES = 4_096;
const MAX_NOTES = 64;

interface Notes<T> {
  readonly startTicks: number;
  readonly byKey: Map<string, T>;
}

export class ProcessNotes<T> {
  readonly #byPid = new BoundedMap<number, Notes<T>>(MAX_PROCESSES);

  /** @returns whether the note is new: there was none with that key. */
  note(pid: number, startTicks: number, key: string, value: T): boolean {
    const known = this.#byPid.get(pid);
    const notes =
      known?.startTicks === startTicks ? known : { startTicks, byKey: new BoundedMap<string, T>(MAX_NOTES) };
    if (notes.byKey.has(key)) return false;
    notes.byKey.set(key, value);
    this.#byPid.set(pid, notes);
    return true;
  }

  /** Whether there are notes for this process id, perhaps of an earlier process with the same id. */
  knows(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  /** Whether there is a note with that key for this process. */
  has(pid: number, startTicks: number, key: string): boolean {
    const notes = this.#byPid.get(pid);
    return notes?.startTicks === startTicks && notes.byKey.has(key);
  }

  /** The notes about this process; empty when the kept ones are about an earlier process with the same id. */
  of(pid: number, startTicks: number): readonly T[] {
    const notes = this.#byPid.get(pid);
    return notes?.startTicks === startTicks ? [...notes.byKey.values()] : [];
  }
}
