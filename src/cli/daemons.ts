/** Which daemon answers: the asked one, in full or with its public part; root's daemon for a user who has none. */
import { resolve } from 'node:path';
import { isDenied, NoAccess } from './access.ts';
import { ask } from './control.ts';
import { askPublicly, type PublicRequest } from './publicSocket.ts';
import { defaultStateDir } from './stateDir.ts';

/** Default state directory of root's daemon. */
export const ROOT_STATE_DIR = '/var/lib/taut';

/**
 * Asks the daemon of a state directory: in full if this user may, else for its public part.
 * @returns undefined when no daemon runs.
 * @throws NoAccess when this user may not know that; CliError when the daemon refuses, or its answer is not understood.
 */
export async function askAsWhoIAm<T>(stateDir: string, request: PublicRequest): Promise<T | undefined> {
  try {
    return await ask<T>(stateDir, request);
  } catch (error) {
    if (!(error instanceof NoAccess)) throw error;
    const told = await askPublicly<T>(stateDir, request).catch((refused) => {
      throw isDenied(refused) ? error : refused;
    });
    if (told === undefined) throw error;
    return told;
  }
}

/**
 * Asks root's daemon for its public part, when the user asks with the default state directory.
 * @returns undefined for another state directory or root's own, and when root's daemon does not run or can't be asked.
 */
export async function askRoots<T>(asked: string, request: PublicRequest): Promise<T | undefined> {
  if (asked !== defaultStateDir() || resolve(asked) === ROOT_STATE_DIR) return undefined;
  try {
    return await askPublicly<T>(ROOT_STATE_DIR, request);
  } catch {
    return undefined;
  }
}
