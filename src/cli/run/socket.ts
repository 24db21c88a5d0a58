/** The control socket of one `taut run`: for `status`, `restore`, and another `taut run` inside its command. */
import { makeFolder } from '../../util/folder.ts';
import type { Log } from '../../util/log.ts';
import { distrust } from '../../util/trust.ts';
import { serve } from '../control.ts';
import type { Request } from '../requests.ts';
import { runSocketPath } from '../sockets.ts';

/** @returns undefined when the socket can't be made: everything else works without it. */
export async function serveRun(
  stateDir: string,
  answer: (request: Request) => unknown,
  log: Log,
): Promise<AsyncDisposable | undefined> {
  try {
    const problem = distrust(stateDir);
    if (problem !== undefined) throw new Error(problem);
    makeFolder(stateDir);
    return await serve(runSocketPath(stateDir), answer, log.debug);
  } catch (error) {
    log.debug(`no control socket: ${(error as Error).message}`);
    return undefined;
  }
}
