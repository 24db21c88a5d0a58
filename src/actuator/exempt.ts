import { isKernelThread, type ThreadStat } from '../proc/stat.ts';

/** Policies of real-time threads, by the number that /proc/TID/stat has. */
export const REAL_TIME: ReadonlyMap<number, string> = new Map([
  [1, 'SCHED_FIFO'],
  [2, 'SCHED_RR'],
  [6, 'SCHED_DEADLINE'],
]);

/** Why no knob can tune a thread (a zombie, a kernel thread), or why one can't that has no effect under `policies`. */
export function exemption(stat: ThreadStat, policies: ReadonlyMap<number, string>): string | undefined {
  if (stat.state === 'Z' || stat.state === 'X') return 'zombie';
  return isKernelThread(stat) ? 'kernel thread' : policies.get(stat.policy);
}
