/** Files and sockets that can't be made: taut reports each, notes it for the exit code, and goes on without it. */
import { dirname } from 'node:path';
import type { Log } from '../util/log.ts';
import { serve } from './control.ts';
import { writerLockPath } from './locks.ts';
import type { Request } from './requests.ts';
import { socketPath } from './stateDir.ts';

/** Where taut reports and notes what is missing. */
export interface Said {
  readonly log: Log;
  readonly missing: string[];
}

/** What the operator can do when `path` can't be made. */
export function writableMend(path: string): string {
  const inStateDir = path !== writerLockPath();
  return `make ${dirname(path)} writable${inStateDir ? ', or use another --state-dir' : ''}`;
}

/** Serves other commands until the stack is disposed of; when it can't, everything else goes on. */
export async function openSocket(
  stack: AsyncDisposableStack,
  stateDir: string,
  reply: (request: Request) => unknown,
  { log, missing }: Said,
): Promise<void> {
  try {
    stack.use(await serve(socketPath(stateDir), reply, log.warn));
  } catch (error) {
    const cause = `the control socket can't be made: ${(error as Error).message}`;
    log.warn(`${cause}; taut status, explain and restore can't ask this taut; ${writableMend(socketPath(stateDir))}`);
    missing.push('socket');
  }
}
