/** One thread: opened, examined, written, read back. What can become of it is a closed set of outcomes. */
import { TautError } from '../native.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { faultPoint } from './faultPoints.ts';
import type { Knob } from './knob.ts';

/**
 * - `tuned`: has the target, read back
 * - `already`: would not gain, so not written
 * - `exempt`: real-time, a zombie, a kernel thread: a write would change nothing that counts
 * - `vanished`: ended meanwhile; normal
 * - `foreign`: another process's, its id given out again
 * - `denied`: the kernel refused (EPERM, EACCES)
 * - `invalid`: the kernel refused the value
 * - `unverified`: read back another value than was written
 * - `drifted`: somebody else has set it since
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
  /** The value last read. */
  readonly value: bigint;
  readonly detail?: string;
}

/** A thread that is held open to be written. */
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
 * Opens a thread of `process` and reads it. `originalOf` says what a value that was read stands for: a thread that was
 * born tuned has its maker's original.
 */
export function examine(
  knob: Knob,
  process: ProcHandle,
  tid: number,
  target: bigint,
  originalOf: (value: bigint, startTicks: number) => bigint,
): Candidate | ThreadState {
  let thread: ProcHandle | undefined;
  let keep = false;
  try {
    thread = new ProcHandle(tid);
    // Asked of the very process that was identified, after the thread is held: it is that process's thread or nobody.
    if (!process.hasThread(tid)) return settled(thread.processId() === process.id ? 'vanished' : 'foreign');
    const stat = thread.stat();
    const { startTicks } = stat;
    const exempt = knob.exempt(stat);
    const value = knob.read(thread);
    const original = originalOf(value, startTicks);
    if (exempt === 'zombie') return settled('vanished');
    if (exempt) return { startTicks, outcome: 'exempt', original, value, detail: exempt };
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

/** Writes a thread that was examined. @returns what became of it if it could not be written. */
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

/** Reads a thread that was written, through the same handle: what it has is what that thread has, or nobody. */
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
  if (isGone(error)) return settled('vanished');
  if (!(error instanceof TautError)) throw error;
  const outcome = error.code === 'EPERM' || error.code === 'EACCES' ? 'denied' : 'invalid';
  return { startTicks, outcome, original, value: original, detail: error.message };
}
