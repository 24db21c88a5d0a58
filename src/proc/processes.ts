/** Which processes and threads there are. */
import { existsSync, opendirSync, readdirSync } from 'node:fs';
import { Slices } from './slices.ts';

/** Every process there is, at once. */
export function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The same piece by piece, as to list ten thousand takes the kernel tens of milliseconds; gives way to other work. */
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

/** Lists the threads of a process; empty when it is gone. */
export function threadIds(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Whether there is a process or thread of this id, as far as /proc shows it. Needs no descriptor. */
export function isThere(id: number): boolean {
  return existsSync(`/proc/${id}`);
}
