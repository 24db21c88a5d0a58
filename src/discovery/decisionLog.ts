/** The decision on each process and the sightings that led to it: kept while the process lives, and bounded. */
import { isThere } from '../proc/processes.ts';
import { BoundedMap } from '../util/boundedMap.ts';
import type { RepeatedSighting, Sighting } from './sighting.ts';
import type { Verdict } from './verdict.ts';

/** Entries of processes that a rule matches, and of all others. Two limits, so that the many others evict no match. */
const MAX_NAMED = 8_192;
const MAX_OTHERS = 16_384;
/** Sightings kept per process; the oldest and the newest ones stay. */
const MAX_SIGHTINGS = 32;

export interface LoggedDecision {
  readonly verdict: Verdict;
  /** The sightings of the process, oldest first. */
  readonly sightings: readonly RepeatedSighting[];
  /** The number of sightings that are not kept. */
  readonly more: number;
}

interface Entry {
  verdict: Verdict;
  sightings: RepeatedSighting[];
  more: number;
}

export class DecisionLog {
  readonly #named = new BoundedMap<number, Entry>(MAX_NAMED, (pid) => this.#onDropped(pid));
  readonly #others = new BoundedMap<number, Entry>(MAX_OTHERS, (pid) => this.#onDropped(pid));
  #dropped = 0;

  /** How many decisions on living processes were dropped because there was no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Replaces the process's earlier verdict, and adds the sighting. */
  keep(verdict: Verdict, seen: Sighting): void {
    const record = this.#record(verdict.pid) ?? { verdict, sightings: [], more: 0 };
    add(record, seen);
    this.#put(record, verdict);
  }

  /** Replaces the verdict without a new sighting: the parent's rule has overridden it. */
  amend(verdict: Verdict): void {
    const record = this.#record(verdict.pid);
    if (record && record.verdict !== verdict) this.#put(record, verdict);
  }

  of(pid: number): LoggedDecision | undefined {
    return this.#record(pid);
  }

  /** The `n` newest decisions on processes that a rule matches, newest first. */
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

  /** Stores the record as the newest one, in exactly one of the two maps. */
  #put(record: Entry, verdict: Verdict): void {
    const [before, now] = [this.#mapOf(record.verdict), this.#mapOf(verdict)];
    if (before !== now) before.delete(verdict.pid);
    record.verdict = verdict;
    now.set(verdict.pid, record);
  }

  #mapOf({ decision }: Verdict): BoundedMap<number, Entry> {
    return decision === 'ignore' ? this.#others : this.#named;
  }

  /** Counts a dropped decision, unless its process has ended and can't be explained any more. */
  #onDropped(pid: number): void {
    if (isThere(pid)) this.#dropped++;
  }
}

function add(record: Entry, { source, atMs, what }: Sighting): void {
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
