/**
 * The clients of a line server. When they are too many, or hold too much, the oldest of those that keep the server waiting
 * is let go: whoever asks and reads at once is answered, however many others do not.
 */
import type { Socket } from 'node:net';

export interface Limits {
  /** Most clients at a time. */
  readonly clients: number;
  /** Most bytes that all clients hold together: requests that have no end yet, and answers that are not read yet. */
  readonly held: number;
}

/** Whose turn it is: the client's to send its request, the server's to answer, the client's to read the answer. */
type State = 'asking' | 'waiting' | 'reading';

interface Client {
  state: State;
  held: number;
}

export class LineClients {
  readonly #limits: Limits;
  /** Oldest first. */
  readonly #clients = new Map<Socket, Client>();
  #held = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  add(socket: Socket): void {
    this.#clients.set(socket, { state: 'asking', held: 0 });
    socket.once('close', () => this.#remove(socket));
    this.#makeRoom(socket);
  }

  /** Says whose turn it is, and how many bytes are held for the client now. */
  is(socket: Socket, state: State, held: number): void {
    const client = this.#clients.get(socket);
    if (!client) return;
    this.#held += held - client.held;
    client.held = held;
    client.state = state;
    this.#makeRoom(socket);
  }

  #isTooMuch(): boolean {
    return this.#clients.size > this.#limits.clients || this.#held > this.#limits.held;
  }

  #makeRoom(newest: Socket): void {
    if (!this.#isTooMuch()) return;
    for (const [socket, { state }] of this.#clients) {
      if (socket === newest || state === 'waiting') continue;
      this.#letGo(socket);
      if (!this.#isTooMuch()) return;
    }
    // An answer may be longer than all that may be held, when it is the only one.
    if (this.#clients.size > this.#limits.clients || this.#clients.get(newest)?.state === 'asking') this.#letGo(newest);
  }

  #letGo(socket: Socket): void {
    this.#remove(socket);
    socket.destroy();
  }

  #remove(socket: Socket): void {
    this.#held -= this.#clients.get(socket)?.held ?? 0;
    this.#clients.delete(socket);
  }
}
