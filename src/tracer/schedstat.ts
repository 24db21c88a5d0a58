/**
 * Measures without eBPF, from /proc/PID/task/TID/schedstat: how long the threads of a process have waited for a CPU in
 * total, and how often they got one. The kernel sums the time from runnable to running, also after a preemption, so the
 * sum exceeds the run-queue delay. There is no distribution, so taut reports only sums and counts.
 */
import { readFileSync } from 'node:fs';
import { nowMs } from '../proc/clock.ts';
import { parseSchedstat, type Waited, waitedOfThreads } from '../proc/schedstat.ts';
import { LetGo } from './letGo.ts';
import type { RunQueueTime, TracedProcess } from './series.ts';

interface Session extends TracedProcess {
  readonly attachedAtMs: number;
  /** The last values of each thread. A thread's values disappear when it ends; the sums below keep them. */
  threads: Map<number, Waited>;
  waitedNs: bigint;
  timeslices: number;
}

export class Schedstat {
  readonly #sessions = new Map<number, Session>();
  readonly #letGo = new LetGo<RunQueueTime>();

  /** Whether this kernel counts (CONFIG_SCHED_INFO): if not, even this running process reads zeros. */
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

  /** Reads every thread. Call often: what a thread waits between the last sample and its end is not seen. */
  sample(): void {
    for (const session of this.#sessions.values()) update(session);
  }

  /**
   * All attached processes, and a last time each process that was detached since the last call.
   * @param keep those that were detached come again, until `exported`.
   */
  collect(keep = false): RunQueueTime[] {
    const gone = this.#letGo.take(keep);
    this.sample();
    return [...gone, ...[...this.#sessions.values()].map(told)];
  }

  /** What the last collection had need not be in another one. */
  exported(): void {
    this.#letGo.exported();
  }
}

function told({ threads: _, ...rest }: Session): RunQueueTime {
  return rest;
}

function update(session: Session): void {
  const now = waitedOfThreads(session.pid);
  for (const [tid, { ns, timeslices }] of now) {
    const before = session.threads.get(tid);
    // A smaller value means another thread with the same id: all that it has waited is new.
    const isSame = before !== undefined && before.ns <= ns && before.timeslices <= timeslices;
    session.waitedNs += ns - (isSame ? before.ns : 0n);
    session.timeslices += timeslices - (isSame ? before.timeslices : 0);
  }
  session.threads = now;
}
