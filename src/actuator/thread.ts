/** Opens, examines, writes and reads back one thread. The result is one of a closed set of outcomes. */
import { TautError } from '../native.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { faultPoint } from './faultPoints.ts';
import type { HasOwnSlice, Knob } from './knob.ts';

/**
 * - `tuned`: has the target, read back
 * - `already`: the target is no improvement, so it was not written
 * - `exempt`: real-time, a zombie or a kernel thread: a write would have no effect
 * - `vanished`: ended meanwhile; normal
 * - `foreign`: belongs to another process, as its id was reused
 * - `denied`: the kernel refused (EPERM, EACCES)
 * - `invalid`: the kernel refused the value
 * - `unverified`: reading back gave another value than the written one
 * - `drifted`: another program has changed it since
 */
export type ThreadOutcome =
  | 'tuned'
  | 'already'
  | 'exempt'
  | 'vanished'
  | 'foreign'
  | 'denied'
  | 'invalid'
  | 'unverified'
  | 'drifted';

export interface ThreadState {
  readonly startTicks: number;
  readonly outcome: ThreadOutcome;
  /** The value before taut first wrote it. */
  readonly original: bigint;
  /** False while the thread is exempt and never was tuned: what it has shows when it is exempt no more. */
  readonly isOriginalKnown?: false;
  /** The value last read. */
  readonly value: bigint;
  readonly detail?: string;
}

/** A thread that is open and will be written. */
export interface Candidate {
  readonly thread: ProcHandle;
  readonly startTicks: number;
  readonly original: bigint;
  readonly value: bigint;
}

export function isCandidate(examined: Candidate | ThreadState): examined is Candidate {
  return 'thread' in examined;
}

/**
 * Opens a thread of `process` and reads it. `originalOf` returns the original for the value that was read: a thread
 * that was born tuned has its maker's original.
 */
export function examine(
  knob: Knob,
  process: ProcHandle,
  tid: number,
  target: bigint,
  originalOf: (value: bigint, startTicks: number) => bigint,
  hasOwnSlice: HasOwnSlice,
): Candidate | ThreadState {
  let thread: ProcHandle | undefined;
  let keep = false;
  try {
    thread = new ProcHandle(tid, process.files);
    // Ask the identified process after the thread was opened: then the handle can't be another process's thread.
    if (!process.hasThread(tid)) return settled(thread.processId() === process.id ? 'vanished' : 'foreign');
    const stat = thread.stat();
    const { startTicks } = stat;
    let value = knob.verify(thread, target);
    if (value !== target) value = knob.read(thread, hasOwnSlice);
    const original = originalOf(value, startTicks);
    const exempt = knob.exempt(stat) ?? chosen(knob, original);
    if (exempt === 'zombie') return settled('vanished');
    if (exempt) return { startTicks, outcome: 'exempt', original, isOriginalKnown: false, value, detail: exempt };
    if (!knob.improves(original, target) && value === original)
      return { startTicks, outcome: 'already', original, value };
    keep = true;
    return { thread, startTicks, original, value };
  } catch (error) {
    return failed(error, 0, 0n);
  } finally {
    if (!keep) thread?.[Symbol.dispose]();
  }
}

/** Why a value is left alone that somebody has chosen; undefined for a knob that changes those, too. */
function chosen({ ordinary, format }: Knob, value: bigint): string | undefined {
  return ordinary === undefined || value === ordinary ? undefined : `${format(value)} of its own`;
}

/** Writes an examined thread. @returns its outcome if it could not be written; else undefined. */
export function write(
  knob: Knob,
  { thread, startTicks, original, value }: Candidate,
  target: bigint,
): ThreadState | undefined {
  try {
    if (value !== target) knob.write(thread, target);
    faultPoint('written');
    return undefined;
  } catch (error) {
    return failed(error, startTicks, original);
  }
}

/** Reads a written thread back, through the same handle: so it can't be another thread with the same id. */
export function readBack(knob: Knob, { thread, startTicks, original }: Candidate, target: bigint): ThreadState {
  try {
    const now = knob.verify(thread, target);
    faultPoint('verified');
    return { startTicks, outcome: now === target ? 'tuned' : 'unverified', original, value: now };
  } catch (error) {
    return failed(error, startTicks, original);
  }
}

function settled(outcome: ThreadOutcome): ThreadState {
  return { startTicks: 0, outcome, original: 0n, value: 0n };
}

function failed(error: unknown, startTicks: number, original: bigint): ThreadState {
  if (!(error instanceof TautError)) throw error;
  if (isGone(error)) return settled(error.code === 'ESTALE' ? 'foreign' : 'vanished');
  const outcome = error.code === 'EPERM' || error.code === 'EACCES' ? 'denied' : 'invalid';
  return { startTicks, outcome, original, value: original, detail: error.message };
}
