/** Lists processes and threads. */
import { existsSync, opendirSync, readdirSync, statSync } from 'node:fs';
import type { ProcFiles } from './files.ts';
import { ProcHandle } from './handle.ts';
import { Slices } from './slices.ts';

/** Ids of all processes, in one call. */
export function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Ids of all processes in pieces, and other work in between: the kernel needs tens of milliseconds to list 10,000. */
export async function* eachProcess(): AsyncGenerator<number> {
  const slices = new Slices();
  const directory = opendirSync('/proc', { bufferSize: 64 });
  try {
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      const pid = Number(entry.name);
      if (Number.isInteger(pid)) yield pid;
      await slices.next();
    }
  } finally {
    directory.closeSync();
  }
}

/** Ids of the threads of a process; empty when it is gone. */
export function threadIds(pid: number, files?: ProcFiles): number[] {
  try {
    using process = new ProcHandle(pid, files);
    return process.threadIds();
  } catch {
    return [];
  }
}

/** The effective user's id of a process, or root's if it hides itself; undefined when it is gone. */
export function userOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

/** Whether /proc shows a process or thread of this id. Needs no descriptor. */
export function isThere(id: number): boolean {
  return existsSync(`/proc/${id}`);
}
