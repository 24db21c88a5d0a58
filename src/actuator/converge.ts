/**
 * One process: every thread read, written down, written, read back, until a pass finds nothing to do. Threads may be
 * born and die all the while.
 */
import { nowMs } from '../proc/clock.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { faultPoint } from './faultPoints.ts';
import type { Knob } from './knob.ts';
import type { Ledger, NewEntry, ThreadIdentity } from './ledger.ts';
import { type Candidate, examine, isCandidate, readBack, type ThreadState, write } from './thread.ts';

/** Who an agent process is, and what its threads are to get. */
export interface TuneOrder {
  readonly pid: number;
  readonly processStartTicks: number;
  readonly target: bigint;
  readonly agent: string;
  readonly rule: string;
  readonly reason: string;
  readonly operation: string;
}

/** What a process inherited by being made by one that was tuned. */
export interface Inheritance {
  readonly target: bigint;
  readonly original: bigint;
}

/** A tuned thread that somebody else has set since. */
export interface Drift {
  readonly tid: number;
  readonly expected: bigint;
  readonly found: bigint;
}

/** What a converger tells of as it works. */
export interface Hears {
  /** `tune`: it was to be written. `look`: it was found otherwise than it was left. */
  outcome(tid: number, state: ThreadState, by: 'tune' | 'look'): void;
  /** These have ended, and were taken off the record. */
  ended(threads: readonly (ThreadIdentity & { readonly knob: string })[]): void;
}

const DEAF: Hears = { outcome: () => {}, ended: () => {} };

/** A process that makes threads faster than they can be listed is left to the kernel's reports after so many passes. */
const MAX_PASSES = 64;
/** Threads that one look for drift reads, of one process. */
const DRIFT_BATCH = 256;

export class Converger {
  readonly #knob: Knob;
  readonly #ledger: Ledger;
  readonly #process: ProcHandle;
  readonly #inheritance: Inheritance | undefined;
  #hears: Hears;
  #order: TuneOrder;
  /** Every thread that is there, by id. */
  readonly threads = new Map<number, ThreadState>();
  /** When the last write was done, which then was read back: milliseconds since the epoch. */
  writtenAtMs = 0;
  #cursor = 0;

  constructor(
    knob: Knob,
    ledger: Ledger,
    process: ProcHandle,
    order: TuneOrder,
    inheritance: Inheritance | undefined,
    hears: Hears = DEAF,
  ) {
    this.#knob = knob;
    this.#ledger = ledger;
    this.#process = process;
    this.#order = order;
    this.#inheritance = inheritance;
    this.#hears = hears;
  }

  get order(): TuneOrder {
    return this.#order;
  }

  /**
   * The process is known by this name, and by this rule, from now on; and `hears` is told of every thread, first of those
   * that are done already. @throws LedgerError
   */
  continueAs(named: Pick<TuneOrder, 'agent' | 'rule' | 'reason'>, hears: Hears): void {
    const { agent, rule, reason, operation } = this.#order;
    const isOther = named.agent !== agent || named.rule !== rule || named.reason !== reason;
    this.#order = { ...this.#order, ...named };
    if (isOther) this.#ledger.describe(operation, named);
    this.#hears = hears;
    for (const [tid, state] of this.threads) hears.outcome(tid, state, 'tune');
  }

  /**
   * Passes over the process's threads until one finds nothing new. `complete` is false when it never did.
   * @throws LedgerError when the ledger can't be written: then nothing was changed in that pass.
   */
  run(): { passes: number; complete: boolean } {
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const present = new Set(this.#process.threadIds());
      // Those whose end nobody reported: the kernel's events may be lost.
      if (pass === 1) this.forget([...this.threads.keys()].filter((tid) => !present.has(tid)));
      const fresh = [...present].filter((tid) => !this.threads.has(tid));
      if (fresh.length === 0) return { passes: pass, complete: true };
      this.#tune(fresh.map((tid) => ({ tid, maker: undefined })));
    }
    return { passes: MAX_PASSES, complete: false };
  }

  /** Handles threads that the kernel reported, without listing the others. @throws LedgerError as `run` */
  add(threads: readonly { tid: number; maker: number }[]): void {
    this.#tune(threads);
  }

  /** Threads that have ended mean nobody now. */
  forget(tids: readonly number[]): void {
    const gone = tids.flatMap((tid) => {
      const state = this.threads.get(tid);
      this.threads.delete(tid);
      return state ? [{ tid, startTicks: state.startTicks, knob: this.#knob.id }] : [];
    });
    this.#ledger.remove(gone);
    this.#hears.ended(gone);
  }

  /** What the process's threads had before taut: that of `maker`, or of any other. */
  originalFor(maker?: number): bigint | undefined {
    const own = maker === undefined ? undefined : this.threads.get(maker);
    if (own?.outcome === 'tuned') return own.original;
    return [...this.threads.values()].find((state) => state.outcome === 'tuned')?.original;
  }

  /**
   * Reads some of the threads, the next ones at the next call. Those that somebody else has set are returned once, and
   * left alone; those that have become real-time, or are so no more, are handled.
   */
  inspect(): Drift[] {
    const ids = [...this.threads.keys()];
    const from = this.#cursor < ids.length ? this.#cursor : 0;
    this.#cursor = from + DRIFT_BATCH;
    const drifted: Drift[] = [];
    for (const tid of ids.slice(from, this.#cursor)) {
      const found = this.#inspect(tid);
      if (found !== undefined) drifted.push({ tid, expected: this.order.target, found });
    }
    return drifted;
  }

  /** @returns the value of a thread that has drifted. */
  #inspect(tid: number): bigint | undefined {
    const state = this.threads.get(tid);
    if (state?.outcome !== 'tuned' && state?.outcome !== 'exempt') return undefined;
    try {
      using thread = new ProcHandle(tid);
      const stat = thread.stat();
      if (stat.startTicks !== state.startTicks) {
        this.forget([tid]);
        return undefined;
      }
      const exempt = this.#knob.exempt(stat);
      const value = this.#knob.read(thread);
      if (exempt) this.#note(tid, { ...state, outcome: 'exempt', value, detail: exempt }, 'look');
      else if (state.outcome === 'exempt') this.#tune([{ tid, maker: undefined }]);
      else if (value !== this.order.target) {
        this.#note(tid, { ...state, outcome: 'drifted', value }, 'look');
        return value;
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      this.forget([tid]);
    }
    return undefined;
  }

  #tune(threads: readonly { tid: number; maker: number | undefined }[]): void {
    const candidates: Candidate[] = [];
    try {
      for (const { tid, maker } of threads) {
        const before = this.threads.get(tid);
        const originalOf = (value: bigint, startTicks: number) =>
          before?.startTicks === startTicks ? before.original : this.#originalOf(value, maker);
        const examined = examine(this.#knob, this.#process, tid, this.order.target, originalOf);
        if (isCandidate(examined)) candidates.push(examined);
        else this.#note(tid, examined);
      }
      faultPoint('examined');
      this.#ledger.record(candidates.map((c) => this.#entry(c)));
      faultPoint('recorded');
      const written = candidates.map((candidate) => ({
        candidate,
        failed: write(this.#knob, candidate, this.order.target),
      }));
      this.writtenAtMs = nowMs();
      const unchanged: Candidate[] = [];
      for (const { candidate, failed } of written) {
        const state = failed ?? readBack(this.#knob, candidate, this.order.target);
        this.#note(candidate.thread.id, state);
        if (state.outcome !== 'tuned' && state.outcome !== 'unverified') unchanged.push(candidate);
      }
      const left = unchanged.map(({ thread, startTicks }) => ({ tid: thread.id, startTicks, knob: this.#knob.id }));
      this.#ledger.remove(left);
      this.#hears.ended(left);
    } finally {
      for (const { thread } of candidates) thread[Symbol.dispose]();
    }
  }

  /** A thread that has what a tuned maker gives was born tuned. */
  #originalOf(value: bigint, maker: number | undefined): bigint {
    if (value === this.#knob.inherited(this.order.target)) {
      const original = this.originalFor(maker);
      if (original !== undefined) return original;
    }
    const inheritance = this.#inheritance;
    return inheritance && value === this.#knob.inherited(inheritance.target) ? inheritance.original : value;
  }

  #note(tid: number, state: ThreadState, by: 'tune' | 'look' = 'tune'): void {
    if (state.outcome === 'vanished') this.threads.delete(tid);
    else this.threads.set(tid, state);
    this.#hears.outcome(tid, state, by);
  }

  #entry({ thread, startTicks, original }: Candidate): NewEntry {
    return { ...this.order, tid: thread.id, startTicks, knob: this.#knob.id, original, atMs: Date.now() };
  }
}
