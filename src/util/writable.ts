/** Whether files can be made in a directory, which itself need not be there yet. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Why not, where that stays so until somebody mends it; undefined when they can, and on a disk that is full, which may
 * have room again in a minute. Node's own `mkdir` says ENOENT of a file system that is read-only.
 */
export function writeProblem(directory: string): string | undefined {
  let there = directory;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
