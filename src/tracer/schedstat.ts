/**
 * Measuring without eBPF: how long the threads of a process have waited for a CPU in all, and how often they got one, from
 * /proc/PID/task/TID/schedstat. The kernel adds up there the time from being runnable to running, also after a preemption,
 * so it is more than run-queue delay, and there is no distribution in it: sums and counts are what can honestly be told.
 */
import { readFileSync } from 'node:fs';
import { nowMs } from '../proc/clock.ts';
import { parseSchedstat, type Waited, waitedOfThreads } from '../proc/schedstat.ts';
import { LetGo } from './letGo.ts';
import type { RunQueueTime, TracedProcess } from './series.ts';

interface Session extends TracedProcess {
  readonly attachedAtMs: number;
  /** Of each thread, as it was read last: a thread's counts end with it, and those until then stay. */
  threads: Map<number, Waited>;
  waitedNs: bigint;
  timeslices: number;
}

export class Schedstat {
  readonly #sessions = new Map<number, Session>();
  readonly #letGo = new LetGo<RunQueueTime>();

  /** Whether this kernel counts (CONFIG_SCHED_INFO): one that does not shows zeros, also for us, who are running. */
  static isThere(): boolean {
    try {
      return parseSchedstat(readFileSync('/proc/self/schedstat', 'latin1')).timeslices > 0;
    } catch {
      return false;
    }
  }

  attach(process: TracedProcess): void {
    const { attachedAtMs = nowMs(), waitedNs = 0n, timeslices = 0 } = this.#letGo.resume(process) ?? {};
    const threads = waitedOfThreads(process.pid);
    this.#sessions.set(process.pid, { ...process, attachedAtMs, threads, waitedNs, timeslices });
  }

  detach(pid: number): void {
    const session = this.#sessions.get(pid);
    if (!session) return;
    update(session);
    this.#letGo.add(told(session));
    this.#sessions.delete(pid);
  }

  /** Reads every thread. What a thread waits between the last time and its end is not seen, so this is called often. */
  sample(): void {
    for (const session of this.#sessions.values()) update(session);
  }

  /** All attached processes, and once more each that was detached since the last call. */
  collect(): RunQueueTime[] {
    const gone = this.#letGo.take();
    this.sample();
    return [...gone, ...[...this.#sessions.values()].map(told)];
  }
}

function told({ threads: _, ...rest }: Session): RunQueueTime {
  return rest;
}

function update(session: Session): void {
  const now = waitedOfThreads(session.pid);
  for (const [tid, { ns, timeslices }] of now) {
    const before = session.threads.get(tid);
    // Less than before: another thread by the same id, which has waited all of that since its birth.
    const isSame = before !== undefined && before.ns <= ns && before.timeslices <= timeslices;
    session.waitedNs += ns - (isSame ? before.ns : 0n);
    session.timeslices += timeslices - (isSame ? before.timeslices : 0);
  }
  session.threads = now;
}
