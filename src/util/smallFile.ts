/**
 * Reads a file that somebody names, or may replace while taut runs. To open a pipe waits for its other end, and a device or a
 * huge file fills the memory: who may write a flag file could stop taut by that.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes; a thousand flags take some hundred thousand. */
export const MOST_OF_A_SMALL_FILE = 4 << 20;

const OPEN = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Text in UTF-8. @throws Error as `readSmallBytes`. */
export function readSmallFile(path: string, most = MOST_OF_A_SMALL_FILE): string {
  return readSmallBytes(path, most).toString('utf8');
}

/** @throws Error when it is no file, when it is longer than `most` bytes, or of the file system. */
export function readSmallBytes(path: string, most = MOST_OF_A_SMALL_FILE): Buffer {
  const fd = openSync(path, OPEN);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is not a file`);
    // One byte more shows that there is more, also when the file grows meanwhile.
    const bytes = Buffer.allocUnsafe(Math.min(stat.size, most) + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length < bytes.length; length += n)
      n = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > most) throw tooLarge(path, most);
    if (length === bytes.length) throw new Error(`${path} grew while it was read`);
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/**
 * Text of what a person names once: a file, standard input (0), or a pipe, which is what a shell makes of `<(command)`. It is
 * waited for while somebody may still write to it.
 * @throws Error when nobody does, when it is a folder or longer than `most` bytes, or of the file system.
 */
export function readOnce(source: string | 0, most = MOST_OF_A_SMALL_FILE): string {
  const fd = source === 0 ? 0 : openSync(source, OPEN);
  const name = source === 0 ? 'standard input' : source;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new Error(`${name} is a folder`);
    const text = readToEnd(fd, most);
    if (text === undefined) throw tooLarge(name, most);
    if (text === '' && source !== 0 && stat.isFIFO()) throw new Error(`${name} is a pipe to which nobody writes`);
    return text;
  } finally {
    if (source !== 0) closeSync(fd);
  }
}

/** Why a file could not be read: `FILE: why`, or what names the file already. */
export function whyUnread(path: string, { message }: Error): string {
  return message.startsWith(`${path} `) ? message : `${path}: ${message}`;
}

/** Undefined: it is longer than `most` bytes. */
function readToEnd(fd: number, most: number): string | undefined {
  const chunks: Buffer[] = [];
  for (let length = 0; length <= most; ) {
    const chunk = Buffer.allocUnsafe(1 << 16);
    const n = readSome(fd, chunk);
    if (n === 0) return Buffer.concat(chunks).toString('utf8');
    length += n;
    chunks.push(chunk.subarray(0, n));
  }
  return undefined;
}

const LOOK_AGAIN_MS = 20;
const asleep = new Int32Array(new SharedArrayBuffer(4));

function readSome(fd: number, into: Buffer): number {
  for (;;)
    try {
      return readSync(fd, into);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(asleep, 0, 0, LOOK_AGAIN_MS);
    }
}

function tooLarge(name: string, most: number): Error {
  return new Error(`${name} is larger than ${most >> 20} MiB`);
}
