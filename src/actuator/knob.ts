import type { ProcHandle } from './procHandle.ts';

/**
 * A per-thread kernel setting that can be read, written, read back and put back. The ledger, converging, restoring and
 * the gate know knobs; what a knob is, only its own file knows. Values are the knob's own unit, as `bigint`.
 */
export interface Knob {
  /** Stable id, in the ledger and in telemetry. */
  readonly id: string;
  /** @throws TautError; ESRCH when the thread is gone, EPERM without the privilege. */
  read(thread: ProcHandle): bigint;
  /** @throws TautError as `read`, and EINVAL for a value that the kernel refuses. */
  write(thread: ProcHandle, value: bigint): void;
  /** Why this thread can't be tuned, whatever is written; undefined when it can. */
  exempt(thread: ProcHandle): string | undefined;
}
