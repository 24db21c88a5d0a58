/** A canary beside those who are measured, and whether the tracer can be believed. Where nobody is, there is none. */
import type { Log } from '../util/log.ts';
import { add } from './arithmetic.ts';
import { Canary } from './canary.ts';
import type { ExpHistogram } from './series.ts';
import type { Tracer } from './tracer.ts';

/** The canary's sleeps are so long on average, and it is asked so often whether it agrees. */
const CANARY_MS = 250;
const COMPARE_MS = 5_000;
/** Without anybody to measure for so long it ends: it keeps the tracer's programs in the way of the whole host. */
const IDLE_MS = 5_000;
/** A process that is stopped and goes on makes one window odd, through nobody's fault. */
const WINDOWS_TO_BELIEVE = 2;

export class CanaryWatch implements Disposable {
  readonly #tracer: Tracer;
  readonly #log: Log;
  readonly #onVerdict: (reason: string | undefined) => void;
  #canary: Canary | undefined;
  /** What earlier ones counted. */
  #before: ExpHistogram | undefined;
  #change: NodeJS.Timeout | undefined;
  #compare: NodeJS.Timeout | undefined;
  #contrary = 0;
  #isBegun = false;
  /** Why the tracer is not to be believed; undefined when it is. */
  degraded: string | undefined;

  /** @param onVerdict what the canary says now; undefined: that the tracer can be believed. */
  constructor(tracer: Tracer, log: Log, onVerdict: (reason: string | undefined) => void) {
    this.#tracer = tracer;
    this.#log = log;
    this.#onVerdict = onVerdict;
  }

  /** Whether there is, or was, one to tell. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Whether anybody is measured. No attach waits for a canary. */
  isNeeded(needed: boolean): void {
    clearTimeout(this.#change);
    if (needed === (this.#canary !== undefined)) return;
    this.#change = setTimeout(() => (needed ? this.#start() : this.#end()), needed ? 0 : IDLE_MS).unref();
  }

  /** How late they were woken since the first; undefined where there was none. */
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
