/** Joins the pieces of each connection's ClientHello. Bounded in number, size and time. */
import { addon } from '../../native.ts';
import { BoundedMap } from '../../util/boundedMap.ts';
import { type ServerName, serverNameOf } from './clientHello.ts';

/** Connections with an incomplete ClientHello. */
const MAX_CONNECTIONS = 256;
const MAX_AGE_MS = 10_000;

interface Pieces {
  readonly sinceMs: number;
  bytes: Buffer;
}

export class HelloPieces {
  readonly #pieces = new BoundedMap<bigint, Pieces>(MAX_CONNECTIONS);

  /** @returns the server name once it is known; undefined when there is none, or when more pieces must follow. */
  add(cookie: bigint, offset: number, piece: Buffer, nowMs: number): ServerName | undefined {
    const known = offset === 0 ? undefined : this.#pieces.get(cookie);
    this.#pieces.delete(cookie);
    // The earlier pieces are lost or too old: the name can't be read from the rest.
    if (offset !== (known?.bytes.length ?? 0)) return undefined;
    const bytes = Buffer.concat(known ? [known.bytes, piece] : [piece]); // a copy: a piece is a part of a larger buffer
    const found = serverNameOf(bytes);
    if (found !== 'incomplete') return found;
    if (bytes.length < addon().layout.helloBytes)
      this.#keep(cookie, { sinceMs: known?.sinceMs ?? nowMs, bytes }, nowMs);
    return undefined;
  }

  get size(): number {
    return this.#pieces.size;
  }

  #keep(cookie: bigint, pieces: Pieces, nowMs: number): void {
    this.#pieces.set(cookie, pieces);
    for (const [oldest, { sinceMs }] of this.#pieces) {
      if (nowMs - sinceMs <= MAX_AGE_MS) break;
      this.#pieces.delete(oldest);
    }
  }
}
