/**
 * Sends the requests of one signal in order, each until the backend has accepted or refused it. What can't be sent now
 * waits, on disk where there is a spool, and is sent when the backend takes requests again, or by the next taut.
 */
import { setTimeout } from 'node:timers/promises';
import type { SignalName } from '../environment.ts';
import { readable } from '../readable.ts';
import { Losses } from './losses.ts';
import type { Post } from './post.ts';
import { type Depth, Queue, type Waiting } from './queue.ts';
import type { Body } from './request.ts';
import type { Spool } from './spool.ts';

/** A request before it is sent. */
export interface Parcel {
  /** How many spans, points or records. */
  readonly items: number;
  /** @throws Error when it can't be serialized. */
  body(): Body;
}

/** `settled`: the backend has accepted or refused it. `kept`: it waits. `lost`: it is dropped and counted. */
export type Outcome = { readonly kind: 'settled' | 'lost' } | { readonly kind: 'kept'; readonly waiting: Waiting };

export interface DeliveryOptions {
  readonly signal: SignalName;
  /** Signal and address, like `traces to http://host:4318/v1/traces`. */
  readonly where: string;
  readonly post: Post;
  /** Undefined: what waits is in memory. */
  readonly spool: Spool | undefined;
  /** Bytes that may wait. */
  readonly limit: number;
  readonly say: (text: string) => void;
}

/** Pauses between attempts: the first, the longest, and how they grow. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const GROWTH = 2;
/** A backend that asks for more patience than this is asked again sooner. */
const LONGEST_ASKED_MS = 120_000;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #losses: Losses;
  readonly #queue: Queue;
  readonly #abort = new AbortController();
  /** The puts so far, one after the other. */
  #puts: Promise<unknown>;
  #draining: Promise<void> | undefined;
  /** Ends the pause between two attempts. */
  #wake = new AbortController();
  #isEnding = false;
  /** Attempts that have failed since the last that succeeded. */
  #failed = 0;
  /** The last attempt can be repeated. */
  #isDown = false;
  #askedMs: number | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#losses = new Losses(options);
    this.#queue = new Queue({ ...options, losses: this.#losses });
    // What earlier tauts have left comes first.
    this.#puts = this.#queue.adopt().then(() => this.#drain());
  }

  /**
   * Sends a request, or keeps it behind those that wait. Never rejects.
   * @param ahead it is on disk before it is sent: then it survives whatever happens to taut meanwhile.
   */
  put(parcel: Parcel, ahead: boolean): Promise<Outcome> {
    const turn = this.#puts.then(() => this.#put(parcel, ahead));
    this.#puts = turn;
    return turn;
  }

  /** What waits now. */
  get depth(): Depth {
    return this.#queue.depth;
  }

  /** Something waits, or the last attempt has failed: what comes now may wait as well. */
  get isBehind(): boolean {
    return this.#isDown || !this.#queue.isEmpty;
  }

  /** Drops requests that newer ones make superfluous. @returns those that are left, as they are being sent. */
  withdraw(superfluous: readonly Waiting[]): Waiting[] {
    return this.#queue.withdraw(superfluous);
  }

  /** Resolves when nothing waits, or what waits can't be sent now. */
  async flushed(): Promise<void> {
    await this.#puts;
    if (!this.#isDown) await this.#draining;
  }

  /** Whatever is being sent is given up, and nothing more is sent. */
  giveUp(): void {
    this.#isEnding = true;
    this.#wake.abort();
    this.#abort.abort();
  }

  /** A last attempt for what waits; then it waits for the next taut, or is lost and counted. Never rejects. */
  async end(): Promise<void> {
    await this.#puts;
    this.#isEnding = true;
    this.#wake.abort();
    await this.#draining;
    await this.#drain();
    await this.#draining;
    this.#queue.end();
    const lost = this.#losses.end();
    if (lost !== '') this.#options.say(`${this.#options.where}${lost}`);
  }

  async #put(parcel: Parcel, ahead: boolean): Promise<Outcome> {
    try {
      const body = parcel.body();
      const isFree = !ahead && this.#queue.isEmpty && !this.#abort.signal.aborted;
      if (isFree && (await this.#post(body, parcel.items))) return { kind: 'settled' };
      const waiting = await this.#queue.add(parcel.items, body);
      this.#drain();
      return waiting ? { kind: 'kept', waiting } : { kind: 'lost' };
    } catch (error) {
      this.#losses.count(parcel.items, readable([error]));
      return { kind: 'lost' };
    }
  }

  #drain(): void {
    this.#draining ??= this.#sendAll().finally(() => {
      this.#draining = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isDown && !this.#isEnding) await this.#pause();
    for (let next = this.#queue.next(); next && this.#maySend(); next = this.#queue.next()) {
      if (await this.#sendWaiting(next)) await this.#queue.remove(next);
      else if (this.#isEnding) return;
      else await this.#pause();
    }
  }

  /** @returns whether it need not wait any more. */
  async #sendWaiting(waiting: Waiting): Promise<boolean> {
    using _held = waiting.hold();
    const body = await this.#read(waiting);
    return body === undefined || (await this.#post(body, waiting.items));
  }

  /** At the end what is on disk can wait, and is not worth another attempt that would fail. */
  #maySend(): boolean {
    if (this.#abort.signal.aborted) return false;
    return !this.#isEnding || !this.#isDown || !this.#options.spool;
  }

  /** Undefined when nothing can be sent: it is damaged, which is counted, or gone. */
  async #read(waiting: Waiting): Promise<Body | undefined> {
    try {
      return await waiting.read();
    } catch (error) {
      this.#losses.count(waiting.items, `${waiting.name} is damaged (${readable([error])})`);
      return undefined;
    }
  }

  /** @returns whether the backend has accepted or refused it. */
  async #post(body: Body, items: number): Promise<boolean> {
    const { post, where, say } = this.#options;
    const answer = await post(body, this.#abort.signal);
    this.#isDown = answer.kind === 'later';
    if (answer.kind === 'later') {
      this.#failed++;
      this.#askedMs = answer.afterMs;
      say(`${where}: ${this.#abort.signal.aborted ? 'not answered in time' : answer.why}`);
      return false;
    }
    if (answer.kind === 'refused') {
      this.#failed++;
      this.#losses.count(items, answer.why);
      return true;
    }
    if (this.#failed > 0) say(`${where}: works again, after ${this.#failed} exports that failed${this.#losses.end()}`);
    this.#failed = 0;
    if (answer.rejected?.items) this.#losses.count(answer.rejected.items, `rejected: ${answer.rejected.why}`);
    else if (answer.rejected) say(`${where}: ${answer.rejected.why}`);
    return true;
  }

  async #pause(): Promise<void> {
    const grown = Math.min(FIRST_PAUSE_MS * GROWTH ** (this.#failed - 1), LONGEST_PAUSE_MS);
    const jittered = grown * (0.8 + 0.4 * Math.random());
    const ms = Math.max(jittered, Math.min(this.#askedMs ?? 0, LONGEST_ASKED_MS));
    await setTimeout(ms, undefined, { ref: false, signal: this.#wake.signal }).catch(() => {});
  }
}
