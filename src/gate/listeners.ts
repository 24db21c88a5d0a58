/** Who wants to know when the decisions of a gate may have changed. */
export class Listeners {
  readonly #callbacks = new Set<() => void>();

  /** @param endBehind ends listening to the gate behind this one, if there is one. @returns a function that ends that. */
  add(callback: () => void, endBehind: () => void = () => {}): () => void {
    this.#callbacks.add(callback);
    return () => {
      this.#callbacks.delete(callback);
      endBehind();
    };
  }

  tell(): void {
    for (const callback of this.#callbacks) callback();
  }
}
