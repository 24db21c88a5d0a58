/** Tells those who produce points that a collection of them has been exported, so that it need not come again. */
export class Exported {
  readonly #hear: (() => void)[] = [];

  on(hear: () => void): void {
    this.#hear.push(hear);
  }

  tell(): void {
    for (const hear of this.#hear) hear();
  }
}
