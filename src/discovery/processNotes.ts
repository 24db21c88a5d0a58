/** What is known of each process beyond /proc: bounded, and true of the process, not of its id. */
import { BoundedMap } from '../util/boundedMap.ts';

const MAX_PROCESSES = 4_096;
const MAX_NOTES = 64;

interface Notes<T> {
  readonly startTicks: number;
  readonly byKey: Map<string, T>;
}

export class ProcessNotes<T> {
  readonly #byPid = new BoundedMap<number, Notes<T>>(MAX_PROCESSES);

  /** @returns whether that is news: a note of that key was not there. */
  note(pid: number, startTicks: number, key: string, value: T): boolean {
    const known = this.#byPid.get(pid);
    const notes =
      known?.startTicks === startTicks ? known : { startTicks, byKey: new BoundedMap<string, T>(MAX_NOTES) };
    if (notes.byKey.has(key)) return false;
    notes.byKey.set(key, value);
    this.#byPid.set(pid, notes);
    return true;
  }

  /** Whether there is anything, of this process or of one that had its id. */
  knows(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  /** Whether a note of that key is there. */
  has(pid: number, startTicks: number, key: string): boolean {
    const notes = this.#byPid.get(pid);
    return notes?.startTicks === startTicks && notes.byKey.has(key);
  }

  /** What was noted of a process; nothing, if its id belonged to another then. */
  of(pid: number, startTicks: number): readonly T[] {
    const notes = this.#byPid.get(pid);
    return notes?.startTicks === startTicks ? [...notes.byKey.values()] : [];
  }
}
