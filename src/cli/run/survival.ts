/** What fails in taut while a command runs ends what taut does, and never the command. */
import type { Ending, Lifetime } from '../lifetime.ts';
import { onUncaught } from '../uncaught.ts';
import type { QuietLog } from './quietLog.ts';

export class Survival implements Pick<Lifetime, 'doing' | 'end' | 'onUncaught'> {
  doing = 'starting';
  /** Resolves when nothing is measured or tuned any more, though the command runs. */
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

  /** What an error that nobody caught must not prevent: runs at once, synchronously. */
  onUncaught(putBack: () => void): void {
    this.#putBack = putBack;
  }
}
