import type { Errno, Outcome } from './errno.ts';

/** Every call returns data or `-errno`. See `native/addon/wakeup_tracer.h`. */
export interface NativeWakeupTracer {
  /** @param slices whether the series are split by the scheduler's slice: they take half as much again. */
  load(slices: boolean): Outcome;
  /**
   * @param thread 0: all threads of the process.
   * @param set to attach: threads with this timer slack have it from taut, and had `original` before, nanoseconds. 0: none has.
   */
  visitThreads(visit: number, pid: number, slot: number, thread: number, set: number, original: number): number | Errno;
  /** For each thread of the process its id, and 1 if somebody has set its slice, else 0. Empty: the kernel can't tell. */
  readSlices(pid: number): Uint32Array | Errno;
  setSettings(sampleMask: number, shedDetail: number, canarySlot: number): Outcome;
  reserve(slot: number): Outcome;
  /** None of the block's slots may be in use. @returns 1, or 0 when it was not there. */
  freeBlock(block: number): number | Errno;
  emptySeries(slot: number): Outcome;
  addAgent(pid: number, slot: number): Outcome;
  removeAgent(pid: number): Outcome;
  readSeries(slot: number, into: Uint32Array): Outcome;
  readCounters(): number[] | Errno;
  close(): void;
}
