/** Which daemon answers whom: its own user everything, others what it tells everybody, and root's where one has none. */
import { resolve } from 'node:path';
import { isDenied, NoAccess } from './access.ts';
import { ask } from './control.ts';
import { askPublicly, type PublicRequest } from './publicSocket.ts';
import { defaultStateDir } from './stateDir.ts';

/** Where root's daemon is, unless it was told otherwise. */
export const ROOT_STATE_DIR = '/var/lib/taut';

/**
 * What the daemon of a state directory answers to who may ask it, or tells everybody; undefined when none runs.
 * @throws NoAccess when that may not be known; CliError when what answers refuses, or is not understood.
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
 * What root's daemon tells everybody, for a user who asks of no state directory in particular; undefined for others, and when
 * there is none, it is the one that was asked, or it can't be asked.
 */
export async function askRoots<T>(asked: string, request: PublicRequest): Promise<T | undefined> {
  if (asked !== defaultStateDir() || resolve(asked) === ROOT_STATE_DIR) return undefined;
  try {
    return await askPublicly<T>(ROOT_STATE_DIR, request);
  } catch {
    return undefined;
  }
}
