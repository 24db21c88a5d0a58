/**
 * Keeps standard streams as they are for the other processes that use them: the command of `taut run`, a shell's other
 * jobs. Node makes a pipe or a socket non-blocking when it opens it, for every process, and a program that does not
 * expect that loses input or output. Node also opens them unasked: to detect colours, or when a socket is closed.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { addon, failed, TautError } from '../native.ts';

/** Milliseconds between tries of a write while the reader is slow. */
const RETRY_MS = 5;
/** Errors of a write that may succeed later. */
const TRY_AGAIN = new Set(['EAGAIN', 'EINTR']);

/** Call it before anything else is loaded. Node handles terminals and files, where it changes no shared flags. */
export function leaveStreamsAlone(): void {
  if (isShared(1)) define('stdout', lazily(1));
  if (isShared(2)) define('stderr', lazily(2));
}

/**
 * Call it before an ES module of others is loaded: the first that imports node:process opens all three streams. What taut
 * itself runs are CommonJS modules (`scripts/bundle.ts`), where that opens nothing.
 */
export async function leaveInputAlone(): Promise<void> {
  const asItWas = Object.getOwnPropertyDescriptor(process, 'stdin') ?? {};
  define('stdin', () => undefined);
  try {
    await import('node:process');
  } finally {
    Object.defineProperty(process, 'stdin', asItWas);
  }
}

function isShared(fd: number): boolean {
  try {
    const kind = fstatSync(fd);
    return kind.isFIFO() || kind.isSocket();
  } catch {
    return false; // the stream is closed
  }
}

function define(name: 'stdin' | 'stdout' | 'stderr', get: () => Writable | undefined): void {
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get });
}

function lazily(fd: number): () => Writable {
  let stream: Writable | undefined;
  return () => (stream ??= writable(fd));
}

function writable(fd: number): Writable {
  const { Writable: Stream } = process.getBuiltinModule('node:stream');
  const end = new SharedEnd(fd);
  return new Stream({ write: (bytes: Buffer, _, done) => end.write(bytes, done) });
}

class SharedEnd {
  readonly #shared: number;
  #fd: number | undefined;

  constructor(fd: number) {
    this.#shared = fd;
  }

  write(bytes: Buffer, done: (error?: Error) => void): void {
    for (let rest = bytes; rest.length > 0; ) {
      const n = this.#writeNow(rest);
      if (failed(n)) {
        const error = new TautError(n, 'write');
        if (TRY_AGAIN.has(error.code)) setTimeout(() => this.write(rest, done), RETRY_MS);
        else done(error);
        return;
      }
      rest = rest.subarray(n);
    }
    done();
  }

  /** @returns the number of bytes written, or `-errno`. */
  #writeNow(bytes: Buffer) {
    this.#fd ??= reopened(this.#shared);
    try {
      return addon().writeNow(this.#fd, bytes);
    } catch {
      return writeSync(this.#shared, bytes); // without the addon taut must still report that it is not built
    }
  }
}

/** Opens the same pipe with flags of its own, if possible: others can fill the pipe between a check and a write. */
function reopened(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd; // a socket, or another user's pipe
  }
}
