/**
 * Which tauts may run at the same time. A state directory has one `watch` or `attach`. On a host, either one taut tunes
 * every agent that it finds, or any number of `run` tune one command each. A lock is an flock, so it ends with the
 * process that holds it, even when that process is killed.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { addon, failed, TautError } from '../native.ts';
import { descriptorsOf } from '../proc/sockets.ts';
import { makeFolder } from '../util/folder.ts';
import { distrust } from '../util/trust.ts';

/** Another process holds the lock: `holder` is its process id, as text. */
export interface Held {
  readonly holder: string;
  /** Control socket of the holder, which can take over what this taut may not do. */
  readonly socket: string | undefined;
}

export interface LockOptions {
  /** Take the lock together with others that share it. */
  readonly shared?: boolean;
  /** Control socket of this taut, for a taut that finds the lock held: see `Held`. */
  readonly socket?: string;
}

/**
 * @returns the lock, to be disposed of, or its holder.
 * @throws TautError or Error when the file can't be made, or a stranger may have made it.
 */
export function tryLock(path: string, { shared = false, socket }: LockOptions = {}): Disposable | Held {
  const problem = distrust(dirname(path), basename(path));
  if (problem !== undefined) throw new Error(problem);
  makeFolder(dirname(path));
  const fd = addon().lock(path, shared);
  if (!failed(fd)) {
    sayHolder(path, socket);
    return { [Symbol.dispose]: () => void addon().close(fd) };
  }
  const error = new TautError(fd, `lock ${path}`);
  if (error.code !== 'EAGAIN') throw error;
  const [, holder = '', named] = /^(\S*)(?: (.*))?/.exec(readFileSync(path, 'latin1')) ?? [];
  return { holder, socket: named && Buffer.from(named, 'latin1').toString('utf8') };
}

/** Path of the writer lock: the same for every taut of this host that may write to the same processes. */
export function writerLockPath(env: NodeJS.ProcessEnv = process.env): string {
  const { TAUT_HOST_LOCK: instead } = env; // tests run beside the tauts of the host
  if (process.getuid?.() === 0) return join(instead === undefined ? '/run/taut' : dirname(instead), 'writer.lock');
  return join(env['XDG_RUNTIME_DIR'] || tmpdir(), `taut-${process.getuid?.()}`, 'writer.lock');
}

/**
 * Whether a process has a lock's file open: it holds the lock or waits for it. `/proc/locks` is no alternative: to read
 * it, the kernel stops every other process that locks a file, and waits for all processors (10 to 25 ms).
 */
export function hasOpen(pid: number, path: string): boolean {
  const { dev, ino } = statSync(path);
  return [...descriptorsOf(pid)].some((descriptor) => {
    const file = statSync(descriptor, { throwIfNoEntry: false });
    return file?.ino === ino && file.dev === dev;
  });
}

/** Writes the holder into the lock's file. On a full disk that fails, but the lock is still held. */
function sayHolder(path: string, socket: string | undefined): void {
  try {
    writeFileSync(path, `${process.pid}${socket === undefined ? '' : ` ${socket}`}\n`);
  } catch {
    // The lock is held without it.
  }
}
