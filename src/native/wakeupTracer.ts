/** Every call returns data or `-errno`. See `native/addon/wakeup_tracer.h`. */
export interface NativeWakeupTracer {
  load(): number;
  /** @param thread 0: all of the process. */
  visitThreads(visit: number, pid: number, slot: number, thread: number): number;
  setSettings(sampleMask: number, shedDetail: number, canarySlot: number): number;
  reserve(slot: number): number;
  emptySeries(slot: number): number;
  addAgent(pid: number, slot: number): number;
  removeAgent(pid: number): number;
  readSeries(slot: number, into: Uint32Array): number;
  readCounters(): number[] | number;
  close(): void;
}
