import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';

/** Whether this host has what a knob needs of its kernel: tried, never told by a version. */
export interface Support {
  /** Stable: doctor's JSON has it. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is missing. */
  readonly detail: string;
  /** The remedy for the operator where something is missing. */
  readonly mend: string;
}

/** Whether somebody has set the scheduler's slice of a thread; undefined: not known. */
export type HasOwnSlice = (tid: number) => boolean | undefined;

/**
 * A per-thread kernel setting that can be read, written, read back and put back. The rest of taut uses only this
 * interface; details of a setting are only in its own file. Values are in the knob's own unit, as `bigint`.
 */
export interface Knob {
  /** Stable id, in the ledger and in telemetry. */
  readonly id: string;
  /** Whose threads it sets: those of the agent (default), or those of the tools that the agent starts. */
  readonly of?: 'agent' | 'tools';
  /** The profile that sets it beside `all`. */
  readonly profile?: 'responsive' | 'timers';
  /** What a thread has that nobody has changed. If it is given, threads with another value are left alone. */
  readonly ordinary?: bigint;
  /** A title for people: `timer slack`. */
  readonly title: string;
  /** What it is, in words for somebody who has never heard of it: a sentence of the first page of the help. */
  readonly about: string;
  /** The command-line option, without its dashes; the key of the feature flag is `taut.` and this option. */
  readonly option: `optimize-${string}`;
  /** The help text of the option. */
  readonly help: string;
  /** What of a wakeup it makes shorter: how late timers fire, or how long a thread waits for a CPU. */
  readonly eases: 'timers' | 'run queue';
  /** The target when an option or a flag is on without a value. */
  readonly defaultTarget: bigint;
  /** The remedy for the operator when the kernel refuses a write. */
  readonly mend: string;
  support(): Support;
  /** Parses a target as people write it. @throws RangeError that says what is wrong with it. */
  parse(text: string): bigint;
  format(value: bigint): string;
  /**
   * @param hasOwnSlice for a knob whose values alone do not tell whether somebody has set them.
   * @throws TautError; ESRCH when the thread is gone, EPERM without the privilege.
   */
  read(thread: ProcHandle, hasOwnSlice?: HasOwnSlice): bigint;
  /** @throws TautError as `read`, and EINVAL for a value that the kernel refuses. */
  write(thread: ProcHandle, value: bigint): void;
  /**
   * As `read`, for what taut may have written: some values look like what the kernel gives by itself.
   * @returns `wanted` if it is in force, or will be when the thread runs next; else what is.
   */
  verify(thread: ProcHandle, wanted: bigint): bigint;
  /** Puts the thread back to `original`. */
  restore(thread: ProcHandle, original: bigint): void;
  /** Why a write has no effect on this thread now; undefined when the thread can be tuned. */
  exempt(stat: ThreadStat): string | undefined;
  /** Whether `target` improves a thread that has `value`. If not, the thread is never written. */
  improves(value: bigint, target: bigint): boolean;
  /** The value that a new thread or process inherits from a thread with `value`. */
  inherited(value: bigint): bigint;
}
