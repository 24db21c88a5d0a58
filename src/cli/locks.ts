/**
 * Who may do what at a time: one taut for a state directory, and for a host one that tunes. A lock is an flock, so it
 * ends with its holder, however that ends.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addon, TautError } from '../native.ts';

/** Somebody else holds it: `holder` is a process id, as text. */
export interface Held {
  readonly holder: string;
}

/** A lock that is released by closing it. @throws TautError or Error when the file can't be made. */
export function tryLock(path: string): Disposable | Held {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = addon().lock(path);
  if (fd >= 0) {
    sayHolder(path);
    return { [Symbol.dispose]: () => void addon().close(fd) };
  }
  const error = new TautError(fd, `lock ${path}`);
  if (error.code !== 'EAGAIN') throw error;
  return { holder: readFileSync(path, 'latin1').trim() };
}

/** The same for every taut of this host that may write to the same processes. */
export function writerLockPath(env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return '/run/taut/writer.lock';
  return join(env['XDG_RUNTIME_DIR'] ?? tmpdir(), `taut-${process.getuid?.()}`, 'writer.lock');
}

/** For who finds it held. A full disk is no reason not to hold it. */
function sayHolder(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch {
    // The lock holds all the same.
  }
}
