/**
 * One of the two standard streams: what waits for its reader is counted and bounded, and what a write that fails means is
 * decided here. Node itself would throw an error event that nobody handles, and keep in memory whatever is not read.
 */
import { fstatSync } from 'node:fs';
import { addon } from '../native.ts';

/** What may wait for a slow reader: lines beyond are left out, unless they are a document's. Bytes. */
const MOST_WAITING = 16 << 20;
/** What is handed to the system at a time, so that it shows whether a slow reader takes anything at all. */
const PIECE = 64 << 10;
/** How long the end waits for a reader that takes nothing, where that is bounded. */
const PATIENCE_MS = 2_000;

/** Nobody reads any more: the pipe's or the socket's other end is closed. */
const CLOSED = new Set(['EPIPE', 'ECONNRESET', 'ENOTCONN', 'EBADF']);

export interface OutletEvents {
  /** Nobody reads it any more: nothing that is written from now on goes anywhere. Told once. */
  onClosed(code: string): void;
  /** A write failed for another reason, for the first time since the last one that succeeded. */
  onFailed(error: NodeJS.ErrnoException): void;
  /** The reader is too slow: from here on lines are left out. */
  onFull(): void;
  /** So many were left out or could not be written; now it goes on. */
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
  /** Grows with all that its reader takes. */
  #taken = 0;
  #isClosed = false;
  #isFull = false;
  #hasFailed = false;
  #onDrained: (() => void)[] = [];

  /** @param open the stream, opened at the first write. */
  constructor(fd: number, open: () => Stream, events: OutletEvents) {
    this.#fd = fd;
    this.#open = open;
    this.#events = events;
  }

  /** @param mayBeLost a line of many, rather than a part of a document: left out where too much waits already. */
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
   * Resolves when all is written, or nothing more can be.
   * @param isBounded do not wait for a reader that takes nothing for two seconds.
   * @returns what was not taken.
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

  /** Looks whether its reader is still there, where something was written: a write would tell, but the next may be hours away. */
  check(): void {
    if (this.#stream && !this.#isClosed && addon().isHungUp(this.#fd) === 1) this.#close('EPIPE');
  }

  /** Hands on what waits, unless the system has yet to take what it was given: then again when it has. */
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
        // Each write's callback gets the error; without a listener the event would be thrown.
        this.#stream.on('error', () => {});
      }
      return this.#stream;
    } catch (error) {
      // A terminal that is gone can't even be opened.
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

  /** A terminal that is gone gives EIO, as does a bad disk. */
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
