/** Measures how long a scan of all processes takes, and how long it blocked the event loop at most. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

export class ScanClock implements Disposable {
  readonly #from = performance.now();
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #first: number | undefined;
  #n = 0;

  constructor() {
    this.#delay.enable();
  }

  decided(): void {
    this.#first ??= performance.now() - this.#from;
    this.#n++;
  }

  describe(): string {
    const ms = (value: number) => value.toFixed(1);
    const blocked = Math.max(0, this.#delay.max / 1e6 - RESOLUTION_MS);
    const all = performance.now() - this.#from;
    return `looked at ${this.#n} processes in ${ms(all)} ms, at the first in ${ms(this.#first ?? 0)} ms; nothing else waited longer than ${ms(blocked)} ms`;
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }
}
