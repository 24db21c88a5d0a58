/**
 * One of the two output streams. It counts and bounds the text that waits for the reader, and decides what a failed
 * write means. Node alone would throw an unhandled error event, and keep all unread text in memory.
 */
import { fstatSync } from 'node:fs';
import { addon } from '../native.ts';

/** Most bytes that may wait for a slow reader. Lines beyond are left out, but never parts of a document. */
const MOST_WAITING = 16 << 20;
/** Bytes per write: small, so that taut sees whether a slow reader reads at all. */
const PIECE = 64 << 10;
/** How long a bounded `drained` waits for a reader that reads nothing. */
const PATIENCE_MS = 2_000;

/** Errors that mean that the reader is gone: the other end of the pipe or socket is closed. */
const CLOSED = new Set(['EPIPE', 'ECONNRESET', 'ENOTCONN', 'EBADF']);

export interface OutletEvents {
  /** The reader is gone: further text is dropped. Called once. */
  onClosed(code: string): void;
  /** A write failed for another reason. Called for the first failure after a successful write. */
  onFailed(error: NodeJS.ErrnoException): void;
  /** The reader is too slow: from now on lines are left out. */
  onFull(): void;
  /** Writing goes on, after `lines` lines were left out or could not be written. */
  onLost(lines: number): void;
}

type Stream = Pick<NodeJS.WriteStream, 'write' | 'writableLength' | 'on'>;

export class Outlet {
  readonly #fd: number;
  readonly #open: () => Stream;
  readonly #events: OutletEvents;
  #stream: Stream | undefined;
  #queue: string[] = [];
  #waiting = 0;
  #lost = 0;
  /** Bytes that the reader has taken. */
  #taken = 0;
  #isClosed = false;
  #isFull = false;
  #hasFailed = false;
  #onDrained: (() => void)[] = [];

  /** @param open opens the stream, at the first write. */
  constructor(fd: number, open: () => Stream, events: OutletEvents) {
    this.#fd = fd;
    this.#open = open;
    this.#events = events;
  }

  /** @param mayBeLost the text is one line of many, not a part of a document: left out when too much waits already. */
  write(text: string, mayBeLost: boolean): void {
    if (this.#isClosed) return;
    const bytes = Buffer.byteLength(text);
    if (mayBeLost && (this.#isFull || this.#waiting + bytes > MOST_WAITING)) {
      this.#lost++;
      if (!this.#isFull) this.#events.onFull();
      this.#isFull = true;
      return;
    }
    this.#waiting += bytes;
    this.#queue.push(text);
    this.#pump();
  }

  /**
   * Resolves when everything is written, or nothing more can be written.
   * @param isBounded do not wait for a reader that reads nothing for two seconds.
   * @returns the bytes that were not read, and the lines that were left out.
   */
  async drained(isBounded: boolean): Promise<{ bytes: number; lines: number }> {
    while (this.#waiting > 0 && !this.#isClosed) {
      const before = this.#taken;
      await this.#progress(isBounded ? PATIENCE_MS : undefined);
      if (isBounded && this.#taken === before) break;
    }
    return this.#isClosed ? { bytes: 0, lines: 0 } : { bytes: this.#waiting, lines: this.#lost };
  }

  #progress(limitMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs ?? 1 << 30);
      this.#onDrained.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Checks whether the reader of a used stream is still there: a write would tell, but the next may be hours away. */
  check(): void {
    if (this.#stream && !this.#isClosed && addon().isHungUp(this.#fd) === 1) this.#close('EPIPE');
  }

  /** Writes the waiting text. While the system has not taken the last piece, the callback of its write calls again. */
  #pump(): void {
    while (this.#queue.length > 0 && !this.#isClosed) {
      const stream = this.#openStream();
      if (!stream || stream.writableLength > 0) return;
      const piece = this.#nextPiece();
      stream.write(piece, (error) => this.#written(piece, error));
    }
  }

  #nextPiece(): string {
    let n = 0;
    for (let length = 0; n < this.#queue.length && length < PIECE; n++) length += this.#queue[n]?.length ?? 0;
    return this.#queue.splice(0, n).join('');
  }

  #openStream(): Stream | undefined {
    try {
      if (!this.#stream) {
        this.#stream = this.#open();
        // The callback of each write gets the error; without a listener Node would throw it.
        this.#stream.on('error', () => {});
      }
      return this.#stream;
    } catch (error) {
      // When the terminal is gone, even opening fails.
      this.#close((error as NodeJS.ErrnoException).code ?? 'EIO');
      return undefined;
    }
  }

  #written(piece: string, error: NodeJS.ErrnoException | null | undefined): void {
    const bytes = Buffer.byteLength(piece);
    this.#waiting -= bytes;
    if (!error) {
      this.#taken += bytes;
      this.#goOn();
    } else if (this.#isGone(error)) this.#close(error.code ?? '');
    else {
      this.#lost += piece.split('\n').length - 1;
      if (!this.#hasFailed) this.#events.onFailed(error);
      this.#hasFailed = true;
    }
    this.#pump();
    for (const wake of this.#onDrained.splice(0)) wake();
  }

  /** EIO comes from a terminal that is gone, but also from a bad disk. */
  #isGone({ code }: NodeJS.ErrnoException): boolean {
    if (code !== 'EIO') return CLOSED.has(code ?? '');
    try {
      return fstatSync(this.#fd).isCharacterDevice();
    } catch {
      return true;
    }
  }

  #goOn(): void {
    this.#hasFailed = false;
    if (this.#waiting > MOST_WAITING >> 1) return;
    this.#isFull = false;
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#events.onLost(lost);
  }

  #close(code: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#events.onClosed(code);
    for (const wake of this.#onDrained.splice(0)) wake();
  }
}
