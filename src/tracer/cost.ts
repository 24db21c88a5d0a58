/**
 * What the tracer's programs cost the host, all the time, without paying for the accounting all the time: the kernel's
 * own statistics are on for one window in ten, and what they saw stands for the nine others.
 */
import type { Tracer } from './tracer.ts';

const WINDOW_MS = 1_000;
const PERIOD_MS = 10_000;

export class KernelCost implements Disposable {
  readonly #tracer: Tracer;
  readonly #started = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #windowStart = 0;
  #secondsAtStart = 0;
  #measuredMs = 0;
  #measuredSeconds = 0;
  #reported = 0;

  /** Whether the kernel lets us ask: it wants CAP_SYS_ADMIN for its statistics. */
  readonly isKnown: boolean;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
    this.isKnown = tracer.mayAccountCost();
    if (this.isKnown) this.#open();
  }

  /** CPU seconds that the programs have used since the start, on all processors together; never falls. */
  seconds(): number | undefined {
    if (!this.isKnown) return undefined;
    const measured = this.#measuredMs + (this.#windowStart ? performance.now() - this.#windowStart : 0);
    const used =
      this.#measuredSeconds + (this.#windowStart ? this.#tracer.cost().kernelSeconds - this.#secondsAtStart : 0);
    const estimate = measured > 0 ? (used * (performance.now() - this.#started)) / measured : 0;
    this.#reported = Math.max(this.#reported, estimate);
    return this.#reported;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #open(): void {
    this.#tracer.accountCost(true);
    this.#secondsAtStart = this.#tracer.cost().kernelSeconds;
    this.#windowStart = performance.now();
    this.#timer = setTimeout(() => this.#shut(), WINDOW_MS).unref();
  }

  #shut(): void {
    this.#measuredSeconds += this.#tracer.cost().kernelSeconds - this.#secondsAtStart;
    this.#measuredMs += performance.now() - this.#windowStart;
    this.#windowStart = 0;
    this.#tracer.accountCost(false);
    this.#timer = setTimeout(() => this.#open(), PERIOD_MS - WINDOW_MS).unref();
  }
}
