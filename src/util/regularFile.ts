/** Reads a file that somebody else may replace meanwhile, without waiting for anybody. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** @param most bytes. @throws Error when it can't be read, is longer, or is no regular file: from a pipe one may wait for ever. */
export function readRegularFile(path: string, most: number): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new Error(`${path} is a directory`);
    if (!stat.isFile()) throw new Error(`${path} is no regular file`);
    if (stat.size > most) throw new Error(`${path} has ${stat.size} bytes, and ${most} are read at most`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
