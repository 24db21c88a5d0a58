/** Paths of the control sockets of the `taut run` processes that use a state directory. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from '../proc/processes.ts';

const OF_RUN = /^run-(\d+)\.sock$/;

export function runSocketPath(stateDir: string, pid: number = process.pid): string {
  return join(stateDir, `run-${pid}.sock`);
}

/** Ids of the processes with a control socket in this directory, also of ended ones. */
export function runsOf(stateDir: string): number[] {
  try {
    return readdirSync(stateDir)
      .flatMap((name) => OF_RUN.exec(name)?.[1] ?? [])
      .map(Number);
  } catch {
    return []; // no directory, or no permission to read it
  }
}

/** Removes the sockets of `taut run` processes that were killed. */
export function removeStale(stateDir: string): void {
  for (const pid of runsOf(stateDir)) if (!isThere(pid)) rmSync(runSocketPath(stateDir, pid), { force: true });
}
