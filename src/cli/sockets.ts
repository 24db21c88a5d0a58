/** Where the control sockets of a state directory are: that of its daemon, and one for each `taut run`. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from '../proc/processes.ts';

const OF_RUN = /^run-(\d+)\.sock$/;

export function runSocketPath(stateDir: string, pid: number = process.pid): string {
  return join(stateDir, `run-${pid}.sock`);
}

/** The processes that have one in this directory, dead or alive. */
export function runsOf(stateDir: string): number[] {
  try {
    return readdirSync(stateDir)
      .flatMap((name) => OF_RUN.exec(name)?.[1] ?? [])
      .map(Number);
  } catch {
    return []; // no directory, or not ours to read
  }
}

/** Removes what a `taut run` left that was killed. */
export function removeStale(stateDir: string): void {
  for (const pid of runsOf(stateDir)) if (!isThere(pid)) rmSync(runSocketPath(stateDir, pid), { force: true });
}
