/** The requests of one signal that wait to be sent, oldest first: on disk, or in memory where that is not possible. */
import type { SignalName } from '../environment.ts';
import { readable } from '../readable.ts';
import type { Losses } from './losses.ts';
import type { Body } from './request.ts';
import type { Kept, Spool } from './spool.ts';

/** Bytes that may wait in memory. */
export const MOST_IN_MEMORY = 4 << 20;

export interface QueueOptions {
  readonly signal: SignalName;
  readonly where: string;
  readonly spool: Spool | undefined;
  /** Bytes that may wait. */
  readonly limit: number;
  readonly losses: Losses;
  readonly say: (text: string) => void;
}

/** How much waits: spans, points or records, and the bytes of their requests. */
export interface Depth {
  readonly items: number;
  readonly bytes: number;
}

export class Waiting implements Depth {
  readonly items: number;
  readonly bytes: number;
  readonly #where: Kept | Body;
  /** It is being sent. */
  isHeld = false;
  /** A newer request that is on its way here has all that it has: to drop it is no loss. */
  isSuperfluous = false;

  constructor(items: number, where: Kept | Body) {
    this.items = items;
    this.#where = where;
    this.bytes = isOnDisk(where) ? where.size : where.bytes.length;
  }

  get isInMemory(): boolean {
    return !isOnDisk(this.#where);
  }

  get name(): string {
    return isOnDisk(this.#where) ? this.#where.path : 'a request in memory';
  }

  hold(): Disposable {
    this.isHeld = true;
    return {
      [Symbol.dispose]: () => {
        this.isHeld = false;
      },
    };
  }

  /** Undefined when another taut has taken the file. @throws Error of the file system, or for a damaged file. */
  async read(): Promise<Body | undefined> {
    return isOnDisk(this.#where) ? this.#where.read() : this.#where;
  }

  async remove(): Promise<void> {
    if (isOnDisk(this.#where)) await this.#where.remove();
  }
}

function isOnDisk(where: Kept | Body): where is Kept {
  return 'path' in where;
}

export class Queue {
  readonly #options: QueueOptions;
  readonly #waiting: Waiting[] = [];
  #isFailing = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get depth(): Depth {
    return { items: this.#waiting.reduce((sum, one) => sum + one.items, 0), bytes: this.#bytes() };
  }

  next(): Waiting | undefined {
    return this.#waiting[0];
  }

  /** Takes what tauts that have ended have left. */
  async adopt(): Promise<void> {
    const { spool, signal } = this.#options;
    const left = (await spool?.left()) ?? [];
    for (const kept of left) if (kept.signal === signal) this.#waiting.push(new Waiting(kept.items, kept));
  }

  /** Makes room by dropping what is superfluous, then the oldest. @returns undefined when there is no room for it; that is counted. */
  async add(items: number, body: Body): Promise<Waiting | undefined> {
    const { limit, spool } = this.#options;
    const size = body.bytes.length;
    await this.#makeRoom(size, limit, () => true);
    const kept = this.#bytes() + size <= limit ? await this.#write(items, body) : undefined;
    if (!kept) await this.#makeRoom(size, MOST_IN_MEMORY, (one) => one.isInMemory);
    const fits = kept || size <= Math.min(limit, MOST_IN_MEMORY);
    if (!fits) return this.#lose(items, spool ? '--spool-limit has no room for them' : 'there is no room for them');
    const waiting = new Waiting(items, kept ?? body);
    this.#waiting.push(waiting);
    return waiting;
  }

  /** @returns those that are left, as they are being sent. */
  withdraw(superfluous: readonly Waiting[]): Waiting[] {
    const left = superfluous.filter((one) => this.#waiting.includes(one));
    for (const waiting of left) if (!waiting.isHeld) void this.remove(waiting);
    return left.filter(({ isHeld }) => isHeld);
  }

  async remove(waiting: Waiting): Promise<void> {
    const at = this.#waiting.indexOf(waiting);
    if (at >= 0) this.#waiting.splice(at, 1);
    await waiting.remove();
  }

  /** What is in memory is lost now. */
  end(): void {
    const gone = this.#waiting.filter(({ isInMemory, isSuperfluous }) => isInMemory && !isSuperfluous);
    const items = gone.reduce((sum, one) => sum + one.items, 0);
    if (items > 0) this.#lose(items, 'taut ends, and the backend has not taken them');
  }

  async #write(items: number, body: Body): Promise<Kept | undefined> {
    const { spool, signal, where, say } = this.#options;
    try {
      const kept = await spool?.write(signal, items, body);
      if (this.#isFailing) say(`${where}: what waits is kept on disk again`);
      this.#isFailing = false;
      return kept;
    } catch (error) {
      if (!this.#isFailing) say(`${where}: what waits is kept in memory only: ${readable([error])}`);
      this.#isFailing = true;
      return undefined;
    }
  }

  #bytes(which: (one: Waiting) => boolean = () => true): number {
    return this.#waiting.filter(which).reduce((sum, one) => sum + one.bytes, 0);
  }

  async #makeRoom(bytes: number, limit: number, which: (one: Waiting) => boolean): Promise<void> {
    if (bytes > limit) return;
    let items = 0;
    while (this.#bytes(which) + bytes > limit) {
      const some = this.#waiting.filter((one) => which(one) && !one.isHeld);
      const oldest = some.find(({ isSuperfluous }) => isSuperfluous) ?? some[0];
      if (!oldest) break;
      if (!oldest.isSuperfluous) items += oldest.items;
      await this.remove(oldest);
    }
    if (items > 0) this.#lose(items, this.#options.spool ? '--spool-limit is reached' : 'too much waits');
  }

  #lose(items: number, why: string): undefined {
    this.#options.losses.count(items, why);
  }
}
