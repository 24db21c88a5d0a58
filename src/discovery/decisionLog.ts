/** What was decided of each process and what led to it: for the life of the process, and bounded. */
import { isThere } from '../proc/processes.ts';
import { BoundedMap } from '../util/boundedMap.ts';
import type { Seen, Sighting } from './sighting.ts';
import type { Verdict } from './verdict.ts';

/** Of processes that a rule names, and of all others: these are many, and shall not drive those out. */
const MAX_NAMED = 8_192;
const MAX_OTHERS = 16_384;
/** Sightings of one process; the first and the newest stay. */
const MAX_SIGHTINGS = 32;

export interface LoggedDecision {
  readonly verdict: Verdict;
  /** What made taut look at the process, oldest first. */
  readonly sightings: readonly Sighting[];
  /** Sightings that are not kept. */
  readonly more: number;
}

interface Entry {
  verdict: Verdict;
  sightings: Sighting[];
  more: number;
}

export class DecisionLog {
  readonly #named = new BoundedMap<number, Entry>(MAX_NAMED, (pid) => this.#onDropped(pid));
  readonly #others = new BoundedMap<number, Entry>(MAX_OTHERS, (pid) => this.#onDropped(pid));
  #dropped = 0;

  /** Decisions on processes that live on, for which there was no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes the place of what was decided of that process before; what led to it is added. */
  keep(verdict: Verdict, seen: Seen): void {
    const record = this.#record(verdict.pid) ?? { verdict, sightings: [], more: 0 };
    record.verdict = verdict;
    add(record, seen);
    this.#put(record);
  }

  /** Another verdict from the same sighting: its parent's rule had a word. */
  amend(verdict: Verdict): void {
    const record = this.#record(verdict.pid);
    if (!record || record.verdict === verdict) return;
    record.verdict = verdict;
    this.#put(record);
  }

  of(pid: number): LoggedDecision | undefined {
    return this.#record(pid);
  }

  /** The newest on processes that a rule names, newest first. */
  last(n: number): LoggedDecision[] {
    return [...this.#named.values()].reverse().slice(0, n);
  }

  forget(pid: number): void {
    this.#named.delete(pid);
    this.#others.delete(pid);
  }

  #record(pid: number): Entry | undefined {
    return this.#named.get(pid) ?? this.#others.get(pid);
  }

  /** As the newest, and in one of the two. */
  #put(record: Entry): void {
    const { pid, decision } = record.verdict;
    this.forget(pid);
    (decision === 'ignore' ? this.#others : this.#named).set(pid, record);
  }

  /** Of a process that has ended there is nothing to explain. */
  #onDropped(pid: number): void {
    if (isThere(pid)) this.#dropped++;
  }
}

function add(record: Entry, { source, atMs, what }: Seen): void {
  const { sightings } = record;
  const known = sightings.findIndex((s) => s.source === source && s.what === what);
  const before = sightings[known];
  if (before) sightings[known] = { ...before, lastMs: atMs, times: before.times + 1 };
  else {
    sightings.push({ source, atMs, lastMs: atMs, times: 1, ...(what === undefined ? {} : { what }) });
    if (sightings.length <= MAX_SIGHTINGS) return;
    sightings.splice(MAX_SIGHTINGS >> 1, 1);
    record.more++;
  }
}
