/** Identity of processes and threads: the kernel uses ids again, but an id and a start time together are unique. */
import type { ProcFiles } from './files.ts';
import { isGone, ProcHandle } from './handle.ts';

/**
 * Start time of a process or thread, in clock ticks since boot; undefined when none has this id.
 * @throws TautError when that is unknown, for instance because no descriptor is free.
 */
export function startOf(id: number, files?: ProcFiles): number | undefined {
  try {
    using handle = new ProcHandle(id, files);
    return handle.stat().startTicks;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether the process or thread of this id has this start time. @throws TautError as `startOf` */
export function isSameProcess(id: number, startTicks: number, files?: ProcFiles): boolean {
  return startOf(id, files) === startTicks;
}

/** Whether the process of this id has this start time and runs: it is neither gone nor a zombie. @throws TautError */
export function isRunning(pid: number, startTicks: number): boolean {
  try {
    using handle = new ProcHandle(pid);
    return handle.stat().startTicks === startTicks && !handle.hasEnded();
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
