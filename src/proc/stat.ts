/** The fields of `/proc/ID/stat`, of a process or of one thread. */
import { readFileSync } from 'node:fs';
import { TICKS_PER_SECOND } from './clock.ts';

/** Selected fields. `startTicks` (field 22, clock ticks since boot), the boot and the id identify a thread. */
export interface ThreadStat {
  readonly state: string;
  readonly ppid: number;
  /** Number of threads of the process, also of those that outlive a zombie leader. */
  readonly threads: number;
  readonly startTicks: number;
  /** 0 SCHED_OTHER, 1 FIFO, 2 RR, 3 BATCH, 5 IDLE, 6 DEADLINE. */
  readonly policy: number;
  /** The kernel's PF_* flags. */
  readonly flags: number;
}

/** Fields of `/proc/ID/stat` from the third (state). The second, the name in parentheses, may itself contain `)`. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Reads the fields from the third (state). @throws ENOENT or ESRCH when the process or thread is gone. */
export function readStatFields(id: number | 'self'): string[] {
  return statFields(readFileSync(`/proc/${id}/stat`, 'latin1'));
}

/** Parses `/proc/ID/stat`. */
export function parseStat(text: string): ThreadStat {
  const fields = statFields(text);
  const at = (field: number) => Number(fields[field - 3] ?? Number.NaN);
  return { state: fields[0] ?? '?', ppid: at(4), threads: at(20), startTicks: at(22), policy: at(41), flags: at(9) };
}

/** CPU time of a process, also of its threads that have ended, from its `/proc/ID/stat`: seconds, in steps of 10 ms. */
export function parseCpuSeconds(text: string): number {
  const fields = statFields(text);
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) / TICKS_PER_SECOND;
}

/** A bit of `flags`: forked, and not yet running a program of its own. */
const PF_FORKNOEXEC = 0x00000040;

export function isJustForked({ flags }: ThreadStat): boolean {
  return (flags & PF_FORKNOEXEC) !== 0;
}

/** A bit of `flags`: a kernel thread. */
const PF_KTHREAD = 0x00200000;

export function isKernelThread({ flags }: ThreadStat): boolean {
  return (flags & PF_KTHREAD) !== 0;
}
