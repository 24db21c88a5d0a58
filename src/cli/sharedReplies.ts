/** Equal requests that come before one of them is answered share one answer: a thousand clients cost as much as one. */
import { setImmediate } from 'node:timers/promises';

export class SharedReplies {
  readonly #reply: (line: string) => Promise<string>;
  /** The answers that are not begun yet, by request. */
  readonly #next = new Map<string, Promise<Buffer>>();

  /** @param reply makes the answer; equal requests must mean the same, however many there are. */
  constructor(reply: (line: string) => Promise<string>) {
    this.#reply = reply;
  }

  /** The answer, made after this call, from a state of then. */
  to(line: string): Promise<Buffer> {
    const next = this.#next.get(line) ?? this.#make(line);
    this.#next.set(line, next);
    return next;
  }

  async #make(line: string): Promise<Buffer> {
    await setImmediate();
    this.#next.delete(line);
    return Buffer.from(await this.#reply(line));
  }
}
