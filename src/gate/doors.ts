/** Lets a bounded number of questions through at a time: a service that is asked about a thousand agents at once answers none. */
export class Doors {
  #free: number;
  readonly #first: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Whether anybody waits. */
  get isBusy(): boolean {
    return this.#first.length + this.#others.length > 0;
  }

  /** @param isUrgent it goes before all that are not. @returns what `work` does when its turn has come. */
  async through<T>(isUrgent: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((go) => (isUrgent ? this.#first : this.#others).push(go));
    try {
      return await work();
    } finally {
      const next = this.#first.shift() ?? this.#others.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
