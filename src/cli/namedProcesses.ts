/** Processes that the user names by id: which ones taut can watch, and why it can't watch the others. */
import { readFileSync } from 'node:fs';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { isKernelThread } from '../proc/stat.ts';

export interface NamedProcesses {
  readonly there: ReadonlySet<number>;
  /** One sentence for each process that taut can't watch. */
  readonly problems: readonly string[];
}

export function lookAtNamed(pids: Iterable<number>): NamedProcesses {
  const there = new Set<number>();
  const problems: string[] = [];
  for (const pid of new Set(pids)) {
    const problem = problemWith(pid);
    if (problem === undefined) there.add(pid);
    else problems.push(problem);
  }
  return { there, problems };
}

function problemWith(pid: number): string | undefined {
  try {
    using handle = new ProcHandle(pid);
    const stat = handle.stat();
    if (isKernelThread(stat))
      return `process ${pid} is a thread of the kernel (${handle.text('comm').trim()}), and no program: it can't be watched`;
    if (handle.hasEnded())
      return `process ${pid} has ended already: it is a zombie, for which its parent (${stat.ppid}) has yet to wait`;
    const process = handle.processId();
    return process === pid ? undefined : `${pid} is a thread of process ${process}: name the process, ${process}`;
  } catch (error) {
    if (isGone(error)) return absence(pid);
    return `process ${pid} can't be looked at: ${(error as Error).message}`;
  }
}

function absence(pid: number): string {
  const largest = Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1'));
  if (pid > largest)
    return `there is no process ${pid}: no process can have this id, as the largest here is ${largest} (kernel.pid_max)`;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return `there is no process ${pid}`;
  }
  return `process ${pid} is not visible in /proc here (is it mounted with hidepid?): run taut as root`;
}
