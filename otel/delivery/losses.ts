/** Counts what of one signal nobody gets, and says it: the first time at once, with its reason, and in the end the sum. */
import { descriptor } from '../../src/telemetry/metrics.ts';
import { tautMeter } from '../../src/telemetry/scope.ts';
import * as semconv from '../../src/telemetry/semconv.ts';
import type { SignalName } from '../environment.ts';

const ITEMS: Record<SignalName, string> = { traces: 'spans', metrics: 'points', logs: 'log records' };

export interface LossesOptions {
  readonly signal: SignalName;
  readonly where: string;
  readonly say: (text: string) => void;
}

export class Losses {
  readonly #options: LossesOptions;
  #items = 0;
  #said = 0;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  count(items: number, why: string): void {
    const { signal, where, say } = this.#options;
    const { name, ...options } = descriptor('taut.telemetry.dropped');
    const by = { [semconv.ATTR_TAUT_TELEMETRY_SIGNAL]: signal };
    // Here and not at the start: the meter of a provider that is registered later counts nothing.
    tautMeter().createCounter(name, options).add(items, by);
    this.#items += items;
    if (this.#said > 0) return;
    this.#said = this.#items;
    say(`${where}: ${why}; ${items} ${ITEMS[signal]} are lost`);
  }

  /** Ends the sum, and begins the next. @returns the rest of a sentence; empty when all is said already. */
  end(): string {
    const text = this.#items > this.#said ? `; ${this.#items} ${ITEMS[this.#options.signal]} are lost in all` : '';
    this.#items = 0;
    this.#said = 0;
    return text;
  }
}
