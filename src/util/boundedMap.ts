/** A map with at most `limit` entries: one more drops the oldest. `set` also makes an existing entry the newest. */
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
    if (this.size <= this.#limit) return this;
    for (const oldest of this.keys()) {
      if (this.size <= this.#limit) break;
      this.delete(oldest);
      this.#onDropped(oldest);
    }
    return this;
  }
}
