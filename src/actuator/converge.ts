/**
 * One process: every thread read, written down, written, read back, until a pass finds nothing to do. Threads may be
 * born and die all the while; a thread that is gone is a normal outcome.
 */
import { readdirSync } from 'node:fs';
import { TautError } from '../native.ts';
import type { Knob } from './knob.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';
import { isGone, ProcHandle } from './procHandle.ts';

/** What became of one thread. `already`: at or below the target as found, so not written (taut makes no thread later). */
export type ThreadOutcome =
  | 'tuned'
  | 'already'
  | 'vanished'
  | 'foreign'
  | 'denied'
  | 'exempt'
  | 'invalid'
  | 'drifted'
  | 'unverified';

export interface ThreadState {
  readonly startTicks: number;
  readonly outcome: ThreadOutcome;
  /** The value before taut first wrote it. */
  readonly original: bigint;
  /** The value last read back. */
  readonly value: bigint;
  readonly detail?: string;
}

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

const MAX_PASSES = 64;

/** Lists the threads of a process; empty when it is gone. */
export function threadIds(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Opens a thread and checks, through the handle, that it is the process's: a reused id is `foreign`. */
function openThread(tid: number, order: { pid: number }): ProcHandle | 'vanished' | 'foreign' {
  try {
    const thread = new ProcHandle(tid);
    try {
      if (thread.processId() === order.pid) return thread;
      thread[Symbol.dispose]();
      return 'foreign';
    } catch (error) {
      thread[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    if (isGone(error)) return 'vanished';
    throw error;
  }
}

interface Candidate {
  readonly thread: ProcHandle;
  readonly startTicks: number;
  readonly original: bigint;
}

export class Converger {
  readonly #knob: Knob;
  readonly #ledger: Ledger;
  readonly order: TuneOrder;
  /** Every thread that was looked at, by id; what `status` and the spans report. */
  readonly threads = new Map<number, ThreadState>();

  constructor(knob: Knob, ledger: Ledger, order: TuneOrder) {
    this.#knob = knob;
    this.#ledger = ledger;
    this.order = order;
  }

  /**
   * Passes over the process's threads until one changes nothing. @returns the number of passes.
   * @throws Error when the ledger can't be written: then nothing was changed in that pass.
   */
  run(): number {
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const fresh = threadIds(this.order.pid).filter((tid) => !this.threads.has(tid));
      if (fresh.length === 0) return pass;
      this.#tune(fresh);
    }
    return MAX_PASSES;
  }

  /** Handles threads that the kernel reported, without listing the others. */
  add(tids: readonly number[]): void {
    this.#tune(tids);
  }

  forget(tid: number): void {
    const state = this.threads.get(tid);
    this.threads.delete(tid);
    if (state) this.#ledger.remove([{ tid, startTicks: state.startTicks, knob: this.#knob.id }]);
  }

  /** What a thread of this process had before taut: its own original, or that of any other for one not yet seen. */
  originalFor(tid: number): bigint | undefined {
    const own = this.threads.get(tid);
    if (own?.outcome === 'tuned') return own.original;
    return [...this.threads.values()].find((state) => state.outcome === 'tuned')?.original;
  }

  /** Reads every tuned thread; those that somebody else has set since are reported once, and left alone. */
  findDrift(): { tid: number; expected: bigint; found: bigint }[] {
    const drifted: { tid: number; expected: bigint; found: bigint }[] = [];
    for (const [tid, state] of this.threads) {
      if (state.outcome !== 'tuned') continue;
      try {
        using thread = new ProcHandle(tid);
        if (thread.stat().startTicks !== state.startTicks) this.forget(tid);
        else {
          const found = this.#knob.read(thread);
          if (found === this.order.target) continue;
          this.#note(tid, state.startTicks, 'drifted', state.original, found);
          drifted.push({ tid, expected: this.order.target, found });
        }
      } catch (error) {
        if (!isGone(error)) throw error;
        this.forget(tid);
      }
    }
    return drifted;
  }

  #tune(tids: readonly number[]): void {
    const candidates: Candidate[] = [];
    try {
      for (const tid of tids) {
        const candidate = this.#examine(tid);
        if (candidate) candidates.push(candidate);
      }
      this.#ledger.record(candidates.map((c) => this.#entry(c)));
      for (const candidate of candidates) this.#write(candidate);
    } finally {
      for (const { thread } of candidates) thread[Symbol.dispose]();
    }
  }

  /** Reads one thread, and keeps it open if it is to be written. */
  #examine(tid: number): Candidate | undefined {
    const thread = openThread(tid, this.order);
    if (typeof thread === 'string') {
      if (thread === 'foreign') this.#note(tid, 0, 'foreign', 0n, 0n);
      return undefined;
    }
    let keep = false;
    try {
      const { startTicks } = thread.stat();
      const exempt = this.#knob.exempt(thread);
      const value = this.#knob.read(thread);
      const original = this.#originalOf(value);
      if (exempt) this.#note(tid, startTicks, 'exempt', value, value, exempt);
      else if (original <= this.order.target && value === original) this.#note(tid, startTicks, 'already', value, value);
      else {
        keep = true;
        return { thread, startTicks, original };
      }
    } catch (error) {
      this.#failed(tid, 0, 0n, error);
    } finally {
      if (!keep) thread[Symbol.dispose]();
    }
    return undefined;
  }

  /** A thread that was born tuned inherited the target: its original is that of the thread that made it. */
  #originalOf(value: bigint): bigint {
    return value === this.order.target ? (this.originalFor(-1) ?? value) : value;
  }

  #write({ thread, startTicks, original }: Candidate): void {
    const { target } = this.order;
    try {
      this.#knob.write(thread, target);
      const value = this.#knob.read(thread);
      this.#note(thread.id, startTicks, value === target ? 'tuned' : 'unverified', original, value);
    } catch (error) {
      this.#failed(thread.id, startTicks, original, error);
      this.#ledger.remove([{ tid: thread.id, startTicks, knob: this.#knob.id }]);
    }
  }

  #failed(tid: number, startTicks: number, original: bigint, error: unknown): void {
    if (isGone(error)) this.threads.delete(tid);
    else if (error instanceof TautError && (error.code === 'EPERM' || error.code === 'EACCES'))
      this.#note(tid, startTicks, 'denied', original, original, error.message);
    else if (error instanceof TautError) this.#note(tid, startTicks, 'invalid', original, original, error.message);
    else throw error;
  }

  #note(tid: number, startTicks: number, outcome: ThreadOutcome, original: bigint, value: bigint, detail?: string) {
    this.threads.set(tid, { startTicks, outcome, original, value, ...(detail === undefined ? {} : { detail }) });
  }

  #entry({ thread, startTicks, original }: Candidate): LedgerEntry {
    const { operation, ...order } = this.order;
    return { ...order, tid: thread.id, startTicks, knob: this.#knob.id, original, atMs: Date.now(), operation };
  }
}
