/** Hands on that something has changed: at once, and what comes soon after that together. A provider may say it without end. */

const APART_MS = 100;

export class Bursts {
  readonly #tell: () => void;
  readonly #mayTell: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;

  /** @param mayTell false: what has changed is told later, once it is true. */
  constructor(tell: () => void, mayTell: () => boolean = () => true) {
    this.#tell = tell;
    this.#mayTell = mayTell;
  }

  changed(): void {
    this.#isDue = true;
    if (!this.#timer) this.#next();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#isDue = false;
  }

  #next(): void {
    this.#timer = undefined;
    if (!this.#isDue) return;
    this.#timer = setTimeout(() => this.#next(), APART_MS).unref();
    if (!this.#mayTell()) return;
    this.#isDue = false;
    this.#tell();
  }
}
