/** A map of the newest so many entries: a further one drops the oldest. What is set is the newest, also where it was there. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #limit: number;
  readonly #onDropped: (key: K) => void;

  constructor(limit: number, onDropped: (key: K) => void = () => {}) {
    super();
    this.#limit = limit;
    this.#onDropped = onDropped;
  }

  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    for (const oldest of this.keys()) {
      if (this.size <= this.#limit) break;
      this.delete(oldest);
      this.#onDropped(oldest);
    }
    return this;
  }
}
