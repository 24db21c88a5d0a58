import type { ProcHandle, ThreadStat } from './procHandle.ts';

/**
 * A per-thread kernel setting that can be read, written, read back and put back. Converging, the ledger, restoring, the
 * gate and the signals know knobs; what a knob is, only its own file knows. Values are in the knob's own unit, as `bigint`.
 */
export interface Knob {
  /** Stable id, in the ledger and in telemetry. */
  readonly id: string;
  /** @throws TautError; ESRCH when the thread is gone, EPERM without the privilege. */
  read(thread: ProcHandle): bigint;
  /** @throws TautError as `read`, and EINVAL for a value that the kernel refuses. */
  write(thread: ProcHandle, value: bigint): void;
  /** Why this thread can't be tuned now, whatever is written; undefined when it can. */
  exempt(stat: ThreadStat): string | undefined;
  /** Whether a thread that has `value` gains by `target`. One that does not is never written. */
  improves(value: bigint, target: bigint): boolean;
  /** What a thread or process starts with that is made by a thread with `value`. */
  inherited(value: bigint): bigint;
}
