/**
 * Tunes one process: reads every thread, records it in the ledger, writes it and reads it back, until a pass finds no
 * new thread. Threads may start and end meanwhile.
 */
import { nowMs, nowTicks } from '../proc/clock.ts';
import { isGone, type ProcHandle } from '../proc/handle.ts';
import { faultPoint } from './faultPoints.ts';
import { inspect } from './inspect.ts';
import type { Knob } from './knob.ts';
import type { Ledger, NewEntry, ThreadIdentity } from './ledger.ts';
import { type Candidate, examine, isCandidate, readBack, type ThreadState, write } from './thread.ts';

/** Identifies an agent process and the target for its threads. */
export interface TuneOrder {
  readonly pid: number;
  readonly processStartTicks: number;
  readonly target: bigint;
  readonly agent: string;
  readonly rule: string;
  readonly reason: string;
  readonly operation: string;
}

/** What a process inherited from a tuned parent. */
export interface Inheritance {
  readonly target: bigint;
  readonly original: bigint;
  /** No thread that was born earlier has inherited the target; clock ticks since boot, 0 when that is not known. */
  readonly sinceTicks: number;
}

/** A tuned thread whose value another program has changed since. */
export interface Drift {
  readonly tid: number;
  readonly expected: bigint;
  readonly found: bigint;
}

/** Receives what a converger reports while it works. */
export interface Hears {
  /** `tune`: taut tried to tune the thread. `look`: an inspection found the thread changed. */
  outcome(tid: number, state: ThreadState, by: 'tune' | 'look'): void;
  /** These threads were removed from the ledger: they have ended, or could not be written. */
  ended(threads: readonly (ThreadIdentity & { readonly knob: string })[]): void;
}

/** Whether somebody has set the scheduler's slice of a thread, for those of a process of which that is known. */
export type OwnSlices = (pid: number) => ReadonlyMap<number, boolean>;

const DEAF: Hears = { outcome: () => {}, ended: () => {} };

/** Stop listing after this many passes; threads that start later are tuned when the kernel reports them. */
const MAX_PASSES = 64;
/** Threads of one process that one inspection for drift reads. */
const DRIFT_BATCH = 256;

export class Converger {
  readonly #knob: Knob;
  readonly #ledger: Ledger;
  readonly #process: ProcHandle;
  readonly #inheritance: Inheritance | undefined;
  readonly #ownSlices: OwnSlices | undefined;
  readonly #sinceTicks: number;
  #heirsFrom: number;
  #hears: Hears;
  #order: TuneOrder;
  /** Every known living thread, by id. */
  readonly threads = new Map<number, ThreadState>();
  /** When the last writes were done, before reading back: milliseconds since the epoch. */
  writtenAtMs = 0;
  /** When those were read back. */
  readBackAtMs = 0;
  #cursor = 0;
  /** Threads that the last listing did not have. */
  #missing: ReadonlySet<number> = new Set();
  /** Threads that were gone before they could be written, and may have called execve. */
  readonly #unwritten = new Set<number>();

  constructor(
    knob: Knob,
    ledger: Ledger,
    process: ProcHandle,
    order: TuneOrder,
    inheritance: Inheritance | undefined,
    hears: Hears = DEAF,
    ownSlices?: OwnSlices,
  ) {
    this.#knob = knob;
    this.#ledger = ledger;
    this.#process = process;
    this.#order = order;
    this.#inheritance = inheritance;
    this.#hears = hears;
    this.#ownSlices = ownSlices;
    this.#sinceTicks = inheritance?.sinceTicks ?? nowTicks(process.files);
    this.#heirsFrom = this.#sinceTicks;
  }

  get order(): TuneOrder {
    return this.#order;
  }

  /**
   * Sets the agent's name, rule and reason from now on, also in the ledger. `hears` gets every outcome from now on,
   * beginning with those of the threads that are done already. @throws LedgerError
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
   * Passes over the process's threads until a pass finds no new thread. `complete` is false if every pass found one.
   * @throws LedgerError when the ledger can't be written: then that pass changed nothing.
   */
  run(): { passes: number; complete: boolean } {
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const present = new Set(this.#process.threadIds());
      if (pass === 1) this.#forgetMissing(present);
      const fresh = [...present].filter((tid) => !this.threads.has(tid));
      if (fresh.length === 0) return { passes: pass, complete: true };
      this.#tune(fresh.map((tid) => ({ tid, maker: undefined })));
    }
    return { passes: MAX_PASSES, complete: false };
  }

  /**
   * Forgets threads whose end was not reported: the kernel's events may be lost. Not at the first time that a thread is
   * missing: it may have called execve, and its original is then that of the leader, which the event tells later.
   */
  #forgetMissing(present: ReadonlySet<number>): void {
    const missing = [...this.threads.keys()].filter((tid) => !present.has(tid));
    this.forget(missing.filter((tid) => this.#missing.has(tid)));
    this.#missing = new Set(missing);
  }

  /** Handles threads that the kernel reported, without listing the others. @throws LedgerError as `run` */
  add(threads: readonly { tid: number; maker: number }[]): void {
    this.#tune(threads);
  }

  /** Forgets threads that have ended, and removes them from the ledger. */
  forget(tids: readonly number[]): void {
    const gone = tids.flatMap((tid) => {
      const state = this.threads.get(tid);
      this.threads.delete(tid);
      this.#unwritten.delete(tid);
      return state ? [{ tid, startTicks: state.startTicks, knob: this.#knob.id }] : [];
    });
    this.#ledger.remove(gone);
    this.#hears.ended(gone);
  }

  /**
   * Handles threads whose end was told. A leader also ends when another thread calls execve, which has its id from then on:
   * what is alive under it is not forgotten.
   */
  exited(tids: readonly number[]): void {
    this.forget(tids.filter((tid) => tid !== this.#process.id || this.#process.hasEndedLeader()));
  }

  /** The thread `tid` has called execve: it has the leader's id and start time now. See `Ledger.carryOver`. */
  execed(tid: number): void {
    const state = this.threads.get(tid);
    const { pid, processStartTicks: startTicks } = this.#order;
    if (state) {
      this.threads.delete(tid);
      this.threads.set(pid, { ...state, startTicks });
      // It was written under its new id, as the leader, or not at all: then the next listing finds it as a new one.
      if (this.#unwritten.delete(tid) && this.#isUntuned()) this.forget([pid]);
    } else if (this.#isUntuned()) {
      this.forget([pid]); // what is known is of the leader that was; the next listing finds the thread as a new one
    }
  }

  /** Whether the process's main thread has another value than the target. */
  #isUntuned(): boolean {
    try {
      return this.#knob.verify(this.#process, this.order.target) !== this.order.target;
    } catch (error) {
      if (isGone(error)) return true;
      throw error;
    }
  }

  /** The value before taut: that of the thread `maker` if it is tuned, else that of any tuned thread. */
  originalFor(maker?: number): bigint | undefined {
    const own = maker === undefined ? undefined : this.threads.get(maker);
    if (own?.outcome === 'tuned') return own.original;
    return [...this.threads.values()].find((state) => state.outcome === 'tuned')?.original;
  }

  /** What a child of the thread `maker` inherits; undefined when no thread is tuned. */
  inheritance(maker?: number): Inheritance | undefined {
    const original = this.originalFor(maker);
    return original === undefined ? undefined : { target: this.#order.target, original, sinceTicks: this.#sinceTicks };
  }

  /**
   * Every descendant without an entry that was born before this time was looked at, and every thread of the process by `run`:
   * what restoring finds of them with taut's value has chosen it. @param ticks since boot. @throws LedgerError
   */
  settled(ticks: number): void {
    const states = [...this.threads];
    // When such a thread is real-time no more, it has the value that it was born with.
    const pending = states.flatMap(([, { outcome, isOriginalKnown, startTicks }]) =>
      outcome === 'exempt' && isOriginalKnown === false && startTicks >= this.#sinceTicks ? startTicks : [],
    );
    const heirsFrom = Math.min(ticks, ...pending);
    if (heirsFrom <= this.#heirsFrom) return;
    this.#heirsFrom = heirsFrom;
    const knob = this.#knob.id;
    const tuned = states.filter(([, { outcome }]) => outcome === 'tuned');
    if (tuned.length > 0)
      this.#ledger.settle(
        tuned.map(([tid, { startTicks }]) => ({ tid, startTicks, knob })),
        heirsFrom,
      );
  }

  /**
   * Reads some of the threads, the next ones at the next call. Returns each drifted thread once, and leaves it alone;
   * handles threads that have become real-time or have stopped being it.
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

  /** @returns the found value if the thread has drifted; else undefined. */
  #inspect(tid: number): bigint | undefined {
    const state = this.threads.get(tid);
    const found = state ? inspect(this.#knob, tid, state, this.order.target, this.#process.files) : 'same';
    if (found === 'another') this.forget([tid]);
    else if (found === 'tunable') this.#tune([{ tid, maker: undefined }]);
    else if (found !== 'same') {
      this.#note(tid, found, 'look');
      if (found.outcome === 'drifted') return found.value;
    }
    return undefined;
  }

  #tune(threads: readonly { tid: number; maker: number | undefined }[]): void {
    const candidates: Candidate[] = [];
    const leads = (tid: number) => Number(tid === this.#process.id);
    let ownSlices: ReturnType<OwnSlices> | undefined; // asked for when a thread needs it, once for all
    const hasOwnSlice = (tid: number) => {
      ownSlices ??= this.#ownSlices?.(this.#process.id);
      return ownSlices?.get(tid);
    };
    try {
      // The leader comes last: a thread that calls execve from then on, and so becomes the leader, has been read.
      for (const { tid, maker } of threads.toSorted((a, b) => leads(a.tid) - leads(b.tid))) {
        const before = this.threads.get(tid);
        const originalOf = (value: bigint, startTicks: number) =>
          before?.startTicks === startTicks && before.isOriginalKnown !== false
            ? before.original
            : (this.#originalOfExeced(tid, value) ?? this.#originalOf(value, startTicks, maker));
        const examined = examine(this.#knob, this.#process, tid, this.order.target, originalOf, hasOwnSlice);
        // Its birth is heard late: it was tuned when it was found, and what it has by now may be somebody else's value.
        const isDone = before?.startTicks === examined.startTicks && before.outcome !== 'exempt';
        if (isCandidate(examined) && isDone) examined.thread[Symbol.dispose]();
        else if (isCandidate(examined)) candidates.push(examined);
        else this.#note(tid, examined);
      }
      candidates.sort((a, b) => leads(b.thread.id) - leads(a.thread.id));
      faultPoint('examined');
      this.#ledger.record(candidates.map((c) => this.#entry(c)));
      faultPoint('recorded');
      // Asked after they are on record: who turns tuning off from now on finds them there, and has them withdrawn.
      const isOff = candidates.length > 0 && this.#ledger.isOff();
      const written = candidates.map((candidate) => ({
        candidate,
        failed: isOff ? leftAlone(candidate) : write(this.#knob, candidate, this.order.target),
      }));
      this.writtenAtMs = nowMs();
      const withdrawn = this.#withdrawn(candidates);
      const unchanged: Candidate[] = [];
      for (const { candidate, failed } of written) {
        const state =
          failed ?? (withdrawn.has(candidate.thread.id) ? this.#takeBack(candidate) : this.#readBack(candidate));
        this.#note(candidate.thread.id, state);
        if (failed?.outcome === 'vanished' && this.#mayHaveExeced(candidate)) continue;
        if (state.outcome !== 'tuned' && state.outcome !== 'unverified') unchanged.push(candidate);
      }
      this.readBackAtMs = nowMs();
      const left = unchanged.map(({ thread, startTicks }) => ({ tid: thread.id, startTicks, knob: this.#knob.id }));
      this.#ledger.remove(left);
      this.#hears.ended(left);
    } finally {
      for (const { thread } of candidates) thread[Symbol.dispose]();
    }
  }

  /** Ids of threads whose entries are gone although they were just recorded: a restore did not wait for this taut. */
  #withdrawn(candidates: readonly Candidate[]): ReadonlySet<number> {
    const knob = this.#knob.id;
    const recorded = candidates.map(({ thread, startTicks }) => ({ tid: thread.id, startTicks, knob }));
    return new Set(this.#ledger.withdrawn(recorded).map(({ tid }) => tid));
  }

  /** Undoes a write that came after the thread was restored. */
  #takeBack({ thread, startTicks, original }: Candidate): ThreadState {
    const { target } = this.order;
    try {
      if (this.#knob.verify(thread, target) === target) this.#knob.restore(thread, original);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    return { startTicks, outcome: 'drifted', original, value: original };
  }

  /**
   * A thread that is gone after it was written may have called execve: it has taut's value then, and the leader's id. So it
   * stays on record until its end is told, or the next listings lack it.
   */
  #readBack(candidate: Candidate): ThreadState {
    const { target } = this.order;
    const state = readBack(this.#knob, candidate, target);
    const { startTicks, original } = candidate;
    return state.outcome === 'vanished' ? { startTicks, outcome: 'tuned', original, value: target } : state;
  }

  /**
   * The value before taut of a thread that has called execve, when the kernel had no room to tell it: it has taut's value
   * under the leader's id, which was forgotten with the leader, and its own id is missing.
   */
  #originalOfExeced(tid: number, value: bigint): bigint | undefined {
    if (tid !== this.#process.id || value !== this.order.target) return undefined;
    const missing = [...this.#missing].map((id) => this.threads.get(id));
    return missing.find((state) => state?.outcome === 'tuned')?.original;
  }

  /** A thread that is gone before it was written: stays on record, as one that is gone after that. @returns whether it does. */
  #mayHaveExeced({ thread, startTicks, original }: Candidate): boolean {
    if (thread.id === this.#process.id) return false;
    this.threads.set(thread.id, { startTicks, outcome: 'tuned', original, value: this.order.target });
    this.#unwritten.add(thread.id);
    return true;
  }

  /** The value before taut. A thread with the value that a tuned maker passes on was born tuned, if any was tuned then. */
  #originalOf(value: bigint, startTicks: number, maker: number | undefined): bigint {
    if (startTicks < this.#sinceTicks) return value;
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
    const heirsFrom = this.#heirsFrom;
    return { ...this.order, tid: thread.id, startTicks, knob: this.#knob.id, original, heirsFrom, atMs: Date.now() };
  }
}

/** As another's value would be left alone. */
function leftAlone({ startTicks, original, value }: Candidate): ThreadState {
  return { startTicks, outcome: 'drifted', original, value };
}
