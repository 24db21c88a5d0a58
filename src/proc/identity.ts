/** Whether an id still means whom it meant: ids are given out again; with its start time one is a process's or thread's own. */
import { isGone, ProcHandle } from './handle.ts';

/**
 * When it was made, in clock ticks since boot; undefined when there is none by this id.
 * @throws TautError where that can't be told, as when no descriptor is left.
 */
export function startOf(id: number): number | undefined {
  try {
    using handle = new ProcHandle(id);
    return handle.stat().startTicks;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether the process or thread of this id is the one that was made then. @throws TautError as `startOf` */
export function isSameProcess(id: number, startTicks: number): boolean {
  return startOf(id) === startTicks;
}

/** The same of a process, and that it has not ended, nor waits to be waited for. @throws TautError as `startOf` */
export function isRunning(pid: number, startTicks: number): boolean {
  try {
    using handle = new ProcHandle(pid);
    return handle.stat().startTicks === startTicks && !handle.hasEnded();
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
