/**
 * Standard streams that others use as well: the command of `taut run`, a shell's other jobs. Node makes a pipe or a socket
 * non-blocking when it opens it, for everybody, and a program that does not expect that loses what it reads or writes. And
 * Node opens them unasked: to know whether there are colours, when a socket is closed. Here they stay as they are.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { addon, failed, TautError } from '../native.ts';

/** How often a write is tried again while the reader is slower. */
const RETRY_MS = 5;
/** Errors of a write that may succeed later. */
const TRY_AGAIN = new Set(['EAGAIN', 'EINTR']);

/** To be called before anything else is loaded. Terminals and files are left to Node, which shares no flags of theirs. */
export async function leaveStreamsAlone(): Promise<void> {
  if (isShared(1)) define('stdout', lazily(1));
  if (isShared(2)) define('stderr', lazily(2));
  const asItWas = Object.getOwnPropertyDescriptor(process, 'stdin') ?? {};
  // Libraries import it, which opens all three.
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
    return false; // there is none
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

  /** @returns how many bytes were taken, or `-errno`. */
  #writeNow(bytes: Buffer) {
    this.#fd ??= reopened(this.#shared);
    try {
      return addon().writeNow(this.#fd, bytes);
    } catch {
      return writeSync(this.#shared, bytes); // taut is not built, which is to be said all the same
    }
  }
}

/** The same pipe with flags of its own, where that may be had: others can fill it between a look and a write. */
function reopened(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd; // a socket, or another user's pipe
  }
}
