/** Checks whether taut can make files in a directory, which need not exist yet. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { distrust } from './trust.ts';

/** A lasting reason why taut makes no files there: it can't, or a stranger could have a say in it. */
export function placeProblem(directory: string): string | undefined {
  return distrust(directory) ?? writeProblem(directory);
}

/**
 * A lasting reason why taut can't make files there; undefined when it can, and on a full disk, which may have room
 * again in a minute. Node's `mkdir` is no alternative: it reports ENOENT on a read-only file system.
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
