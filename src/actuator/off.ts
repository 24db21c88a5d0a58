/**
 * The kill switch: while there is a file `off` in the state directory, no taut of that directory tunes, whatever options, flags and
 * rules say. That the file is there is all that counts: it may be empty, and made by `touch`.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Who turned tuning off, and why, as far as the file says it. */
export interface Off {
  readonly reason: string | null;
  /** RFC 3339. */
  readonly since: string | null;
  readonly by: string | null;
}

/** Characters of a reason. */
export const MOST_OF_A_REASON = 500;
/** Bytes of the file that are read. */
const MOST_OF_A_FILE = 16_384;

export function offPath(stateDir: string): string {
  return join(stateDir, 'off');
}

/** Whether tuning is off. It also is where that can't be known: a directory that can't be looked into has no say for tuning. */
export function isOff(stateDir: string): boolean {
  try {
    return lstatSync(offPath(stateDir), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOTDIR';
  }
}

/** @returns undefined when tuning is not off. */
export function readOff(stateDir: string): Off | undefined {
  if (!isOff(stateDir)) return undefined;
  const path = offPath(stateDir);
  try {
    const stat = lstatSync(path);
    const since = stat.mtime.toISOString();
    if (!stat.isFile() || stat.size > MOST_OF_A_FILE) return { reason: null, since, by: null };
    return parse(readFileSync(path, 'utf8'), since);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !isOff(stateDir)) return undefined; // lifted meanwhile
    return { reason: `${path} can't be read: ${(error as Error).message}`, since: null, by: null };
  }
}

/** A file that somebody wrote by hand is a reason in words. */
function parse(text: string, since: string): Off {
  try {
    const told = JSON.parse(text) as Readonly<Record<keyof Off, unknown>> | null;
    if (typeof told === 'object' && told !== null)
      return { reason: word(told.reason), since: word(told.since) ?? since, by: word(told.by) };
  } catch {
    // no JSON
  }
  return { reason: word(text), since, by: null };
}

/** What is no text, as of a file that is damaged, is no reason. */
function word(value: unknown): string | null {
  if (typeof value === 'string' && value.includes('\uFFFD')) return null;
  return (typeof value === 'string' && value.trim().slice(0, MOST_OF_A_REASON)) || null;
}

/**
 * Turns tuning off. The file is there as a whole or not at all, also after a power cut. Where a full disk has no room for its text,
 * it stays empty, and a directory in its place stays: that turns tuning off as well. @throws an error of the file system when it can't be made.
 */
export function turnOff(stateDir: string, off: Off): void {
  const path = offPath(stateDir);
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  const file = openSync(fresh, 'wx', 0o600);
  try {
    writeSync(file, `${JSON.stringify(off)}\n`);
    fsyncSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  try {
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh);
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
  }
  sync(stateDir);
}

/** Lifts it. @returns what was lifted; undefined when tuning was not off. @throws an error of the file system. */
export function turnOn(stateDir: string): Off | undefined {
  const off = readOff(stateDir);
  if (!off) return undefined;
  const path = offPath(stateDir);
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmdirSync(path);
  else rmSync(path, { force: true });
  sync(stateDir);
  return off;
}

function sync(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** In a sentence. */
export function describeOff({ reason, since, by }: Off, isOff = 'tuning is off'): string {
  const who = `${since === null ? '' : ` since ${since}`}${by === null ? '' : `, by ${by}`}`;
  return `${isOff}${who}${reason === null ? '' : `: ${reason}`}`;
}
