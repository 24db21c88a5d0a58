/** The parents of a process, and its children. */
import { readFileSync } from 'node:fs';
import type { ProcFiles } from './files.ts';
import { isGone, ProcHandle } from './handle.ts';
import { parseStat } from './stat.ts';

const MAX_ANCESTORS = 64;
/** Most bytes of the list of one thread's children: more than all possible process ids need. */
const MOST_CHILDREN = 16 << 20;

/** The current children of a process; empty when it is gone. */
export function childrenOf(pid: number, files?: ProcFiles): number[] {
  try {
    using process = new ProcHandle(pid, files);
    return process.threadIds().flatMap((tid) => childrenOfThread(process, tid));
  } catch {
    return [];
  }
}

function childrenOfThread(process: ProcHandle, tid: number): number[] {
  try {
    const text = process.text(`task/${tid}/children`, MOST_CHILDREN).trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** A process and its ancestors, nearest first. Each handle stays open until the next step. */
export function* ancestors(pid: number, files?: ProcFiles): Generator<ProcHandle> {
  let next = pid;
  for (let n = 0; next > 0 && n < MAX_ANCESTORS; n++) {
    try {
      using handle = new ProcHandle(next, files);
      yield handle;
      next = handle.stat().ppid;
    } catch (error) {
      if (isGone(error)) return;
      throw error;
    }
  }
}

/** Whether a process is `root` or descends from it. */
export function descendsFrom(pid: number, root: number): boolean {
  for (let at = pid; at > 1; ) {
    if (at === root) return true;
    try {
      at = parseStat(readFileSync(`/proc/${at}/stat`, 'latin1')).ppid;
    } catch {
      return false;
    }
  }
  return false;
}
