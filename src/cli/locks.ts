/**
 * Who may do what at a time. One `watch` or `attach` for a state directory; and of what may tune on a host either one
 * that tunes whom it finds, or any number of `run`, each of which tunes its own command. A lock is an flock, so it ends
 * with its holder, however that ends.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addon, failed, TautError } from '../native.ts';

/** Somebody else holds it: `holder` is a process id, as text. */
export interface Held {
  readonly holder: string;
  /** The control socket of who takes over what another may not do itself. */
  readonly socket: string | undefined;
}

export interface LockOptions {
  /** With others that share it. */
  readonly shared?: boolean;
  /** For who finds it held: see `Held`. */
  readonly socket?: string;
}

/** A lock that is released by closing it. @throws TautError or Error when the file can't be made. */
export function tryLock(path: string, { shared = false, socket }: LockOptions = {}): Disposable | Held {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
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

/** The same for every taut of this host that may write to the same processes. */
export function writerLockPath(env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return '/run/taut/writer.lock';
  return join(env['XDG_RUNTIME_DIR'] ?? tmpdir(), `taut-${process.getuid?.()}`, 'writer.lock');
}

/**
 * Whether a process holds a lock, or waits for it: has its file open. Not by `/proc/locks`: to read that has the kernel
 * stop every other process that locks a file, and wait for all processors (10 to 25 ms).
 */
export function hasOpen(pid: number, path: string): boolean {
  const { dev, ino } = statSync(path);
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    const file = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
    return file?.ino === ino && file.dev === dev;
  });
}

/** For who finds it held. A full disk is no reason not to hold it. */
function sayHolder(path: string, socket: string | undefined): void {
  try {
    writeFileSync(path, `${process.pid}${socket === undefined ? '' : ` ${socket}`}\n`);
  } catch {
    // The lock holds all the same.
  }
}
