/** When taut fails while a command runs, taut stops its own work, but the command goes on. */
import type { Ending, Lifetime } from '../lifetime.ts';
import { onUncaught } from '../uncaught.ts';
import type { QuietLog } from './quietLog.ts';

export class Survival implements Pick<Lifetime, 'doing' | 'end' | 'onUncaught'> {
  doing = 'starting';
  /** Resolves when taut no longer measures or tunes, although the command runs. */
  readonly failed: Promise<void>;
  readonly #fail: () => void;
  #putBack: () => void = () => {};

  constructor(log: QuietLog) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.failed = promise;
    this.#fail = resolve;
    onUncaught(log, '; the command goes on', () => {
      try {
        this.#putBack();
      } finally {
        this.#fail();
      }
    });
  }

  end(_: Ending): void {
    this.#fail();
  }

  /** Sets what must still happen after an uncaught error: `putBack` runs at once, synchronously. */
  onUncaught(putBack: () => void): void {
    this.#putBack = putBack;
  }
}
