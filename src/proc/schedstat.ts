/** How long threads have waited for a CPU, as `/proc/PID/task/TID/schedstat` has it. */
import { readFileSync } from 'node:fs';
import { threadIds } from './processes.ts';

export interface Waited {
  readonly ns: bigint;
  readonly timeslices: number;
}

/** The fields of a schedstat file: ns on a CPU, ns waiting for one, times put on one. */
export function parseSchedstat(text: string): Waited {
  const [, waited = '0', timeslices = '0'] = text.trim().split(' ');
  return { ns: BigInt(waited), timeslices: Number(timeslices) };
}

/** Of each thread of a process. */
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
