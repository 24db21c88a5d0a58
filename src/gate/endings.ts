/** Tells when the time of a flag is over. Goes by the clock on the wall, which may be set meanwhile, and by which a host may sleep. */
import { isOver } from './flagObject.ts';

const LOOK_MS = 1_000;

export class Endings {
  readonly #tell: () => void;
  /** RFC 3339; as many as there are in the values of flags. */
  readonly #ahead = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: () => void) {
    this.#tell = tell;
  }

  add(until: string): void {
    this.#ahead.add(until);
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#ahead.clear();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = Math.min(...[...this.#ahead].map((until) => Date.parse(until) - Date.now()));
    if (this.#ahead.size > 0)
      this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(left, 1), LOOK_MS)).unref();
  }

  #look(): void {
    const over = [...this.#ahead].filter(isOver);
    for (const until of over) this.#ahead.delete(until);
    if (over.length > 0) this.#tell();
    this.#arm();
  }
}
