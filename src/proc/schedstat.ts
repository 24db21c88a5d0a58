/** How long threads have waited for a CPU, from `/proc/PID/task/TID/schedstat`. */
import { readFileSync } from 'node:fs';
import { threadIds } from './processes.ts';

export interface Waited {
  readonly ns: bigint;
  readonly timeslices: number;
}

/** A schedstat file has three fields: ns on a CPU, ns of waiting for a CPU, number of timeslices. */
export function parseSchedstat(text: string): Waited {
  const [, waited = '0', timeslices = '0'] = text.trim().split(' ');
  return { ns: BigInt(waited), timeslices: Number(timeslices) };
}

/** How long the thread of a schedstat file has been on a CPU, nanoseconds; 0 where the kernel does not count (CONFIG_SCHED_INFO). */
export function parseRunTime(text: string): bigint {
  return BigInt(text.split(' ', 1)[0] ?? 0);
}

/** Waiting times of each thread of a process, by thread id. */
export function waitedOfThreads(pid: number): Map<number, Waited> {
  const threads = new Map<number, Waited>();
  for (const tid of threadIds(pid))
    try {
      threads.set(tid, parseSchedstat(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1')));
    } catch {
      // The thread is gone.
    }
  return threads;
}
