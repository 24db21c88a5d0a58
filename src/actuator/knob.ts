import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';

/**
 * A per-thread kernel setting that can be read, written, read back and put back. Converging, the ledger, restoring, the
 * gate, the command line and the signals know knobs; what a knob is, only its own file knows. Values are in the knob's own
 * unit, as `bigint`.
 */
export interface Knob {
  /** Stable id, in the ledger and in telemetry. */
  readonly id: string;
  /** In words, for people: `timer slack`. */
  readonly title: string;
  /** The option of the command line, without its dashes; `taut.` before it is the key of its feature flag. */
  readonly option: string;
  /** What that option's help says. */
  readonly help: string;
  /** What an option or a flag asks for that is simply on. */
  readonly defaultTarget: bigint;
  /** What an operator can do where the kernel refuses. */
  readonly mend: string;
  /** A target as people write it. @throws RangeError that says what is wrong with it. */
  parse(text: string): bigint;
  format(value: bigint): string;
  /** @throws TautError; ESRCH when the thread is gone, EPERM without the privilege. */
  read(thread: ProcHandle): bigint;
  /** @throws TautError as `read`, and EINVAL for a value that the kernel refuses. */
  write(thread: ProcHandle, value: bigint): void;
  /** After a write of `wanted`: that value if it is in force, or will be at the thread's next turn; else what is. */
  verify(thread: ProcHandle, wanted: bigint): bigint;
  /** Writes what makes the thread what it was with `original`. */
  restore(thread: ProcHandle, original: bigint): void;
  /** Why this thread can't be tuned now, whatever is written; undefined when it can. */
  exempt(stat: ThreadStat): string | undefined;
  /** Whether a thread that has `value` gains by `target`. One that does not is never written. */
  improves(value: bigint, target: bigint): boolean;
  /** What a thread or process starts with that is made by a thread with `value`. */
  inherited(value: bigint): bigint;
}
