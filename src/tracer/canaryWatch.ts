/** Runs the canary while agents are measured, and judges whether the tracer is reliable. */
import type { Log } from '../util/log.ts';
import { add } from './arithmetic.ts';
import { Canary } from './canary.ts';
import type { ExpHistogram } from './series.ts';
import type { Tracer } from './tracer.ts';

/** Mean sleep of the canary, and the interval between comparisons. */
const CANARY_MS = 250;
const COMPARE_MS = 5_000;
/** The canary ends when no agent was measured for this long: it keeps the programs attached, which costs CPU time. */
const IDLE_MS = 5_000;
/** Windows in a row that change the verdict: if taut was stopped and continued, one window is wrong without a fault. */
const WINDOWS_TO_BELIEVE = 2;

export class CanaryWatch implements Disposable {
  readonly #tracer: Tracer;
  readonly #log: Log;
  readonly #onVerdict: (reason: string | undefined) => void;
  #canary: Canary | undefined;
  /** The latencies of earlier canaries. */
  #before: ExpHistogram | undefined;
  #change: NodeJS.Timeout | undefined;
  #compare: NodeJS.Timeout | undefined;
  #contrary = 0;
  #isBegun = false;
  /** Why the tracer is not reliable; undefined when it is. */
  degraded: string | undefined;

  /** @param onVerdict called with each new verdict: why the tracer is not reliable; undefined: it is reliable. */
  constructor(tracer: Tracer, log: Log, onVerdict: (reason: string | undefined) => void) {
    this.#tracer = tracer;
    this.#log = log;
    this.#onVerdict = onVerdict;
  }

  /** Whether a canary was ever started. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Tells whether any agent is measured. The canary starts asynchronously, so that no attach waits for it. */
  isNeeded(needed: boolean): void {
    clearTimeout(this.#change);
    if (needed === (this.#canary !== undefined)) return;
    this.#change = setTimeout(() => (needed ? this.#start() : this.#end()), needed ? 0 : IDLE_MS).unref();
  }

  /** The wakeup latency of all canaries so far; undefined when there was none. */
  latency(): ExpHistogram | undefined {
    const now = this.#canary?.latency();
    return now && this.#before ? add(now, this.#before) : (now ?? this.#before);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#change);
    this.#end();
  }

  #start(): void {
    this.#isBegun = true;
    try {
      const canary = new Canary(this.#tracer, CANARY_MS);
      this.#canary = canary;
      void this.#ask(canary);
    } catch (error) {
      this.#judge(`its own thread can't be measured: ${(error as Error).message}`);
    }
  }

  #end(): void {
    clearTimeout(this.#compare);
    this.#before = this.latency();
    this.#canary?.[Symbol.dispose]();
    this.#canary = undefined;
  }

  async #ask(canary: Canary): Promise<void> {
    try {
      const found = await canary.compare();
      if (found) this.#weigh(found.disagreement);
    } catch (error) {
      this.#log.debug(`canary: ${(error as Error).message}`);
    }
    if (this.#canary === canary) this.#compare = setTimeout(() => void this.#ask(canary), COMPARE_MS).unref();
  }

  #weigh(disagreement: string | undefined): void {
    this.#contrary = (disagreement === undefined) === (this.degraded === undefined) ? 0 : this.#contrary + 1;
    if (this.#contrary >= WINDOWS_TO_BELIEVE) this.#judge(disagreement);
  }

  #judge(reason: string | undefined): void {
    this.#contrary = 0;
    this.degraded = reason;
    this.#onVerdict(reason);
  }
}
