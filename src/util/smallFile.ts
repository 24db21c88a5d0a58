/**
 * Reads a file that somebody may replace while taut runs. To open a pipe waits for its other end, and a device or a huge file
 * fills the memory: who may write a flag file could stop taut by that.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes; a thousand flags take some hundred thousand. */
export const MOST_OF_A_SMALL_FILE = 4 << 20;

/** @throws Error when it is no file, when it is longer than `most` bytes, or of the file system. */
export function readSmallFile(path: string, most = MOST_OF_A_SMALL_FILE): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is not a file`);
    // One byte more shows that there is more, also when the file grows meanwhile.
    const bytes = Buffer.allocUnsafe(Math.min(stat.size, most) + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length < bytes.length; length += n)
      n = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > most) throw new Error(`${path} is larger than ${most >> 20} MiB`);
    if (length === bytes.length) throw new Error(`${path} grew while it was read`);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}

/** Reads what is open to its end, also a pipe. @throws Error when it is longer than `most` bytes, or of the file system. */
export function readToEnd(fd: number, most: number): string {
  const pieces: Buffer[] = [];
  for (let length = 0; ; ) {
    const piece = Buffer.allocUnsafe(65_536);
    const n = readSync(fd, piece, 0, piece.length, null);
    if (n === 0) return Buffer.concat(pieces).toString('utf8');
    pieces.push(piece.subarray(0, n));
    length += n;
    if (length > most) throw new Error(`it is larger than ${most >> 20} MiB`);
  }
}
