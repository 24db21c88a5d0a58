/** What `/proc/ID/stat` says of a process, or of one thread. */
import { readFileSync } from 'node:fs';

/** Field 22 of `stat`, in clock ticks since boot: with the boot and the id, a thread's identity. */
export interface ThreadStat {
  readonly state: string;
  readonly ppid: number;
  /** Threads of the process; of a zombie leader, those that live on. */
  readonly threads: number;
  readonly startTicks: number;
  /** 0 SCHED_OTHER, 1 FIFO, 2 RR, 3 BATCH, 5 IDLE, 6 DEADLINE. */
  readonly policy: number;
  /** PF_* flags of the kernel. */
  readonly flags: number;
}

/** Fields of `/proc/ID/stat` from the third (state) on. The second, the name, is in parentheses and may hold anything, parentheses too. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The same, read now. @throws ENOENT or ESRCH when it is gone. */
export function readStatFields(id: number | 'self'): string[] {
  return statFields(readFileSync(`/proc/${id}/stat`, 'latin1'));
}

/** Parses `/proc/ID/stat`. */
export function parseStat(text: string): ThreadStat {
  const fields = statFields(text);
  const at = (field: number) => Number(fields[field - 3] ?? Number.NaN);
  return { state: fields[0] ?? '?', ppid: at(4), threads: at(20), startTicks: at(22), policy: at(41), flags: at(9) };
}
