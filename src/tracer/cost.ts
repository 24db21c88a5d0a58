/**
 * What the tracer's programs cost the host, all the time, without paying for the accounting all the time.
 *
 * Measured, where the kernel lets us (CAP_SYS_ADMIN): its own statistics are on for one part in ten of the time, and what
 * they saw stands for the rest; what they leave out, the call of each program, is added by its calibrated figure.
 * Calibrated, elsewhere: events, which are counted anyway, times what one cost when the tracer was started. The host's
 * switches are in /proc/stat, and each is taken for a wakeup as well, of which there are no more than that. The timers of
 * other processes are not in it: one program of four, for less than one event in ten.
 */
import { readFileSync } from 'node:fs';
import { TautError } from '../native.ts';
import type { Figures } from './calibrate.ts';
import type { Tracer } from './tracer.ts';

const PERIOD_MS = 5_000;
const WINDOW_MS = 500;

export type CostMethod = 'measured' | 'calibrated';

export class KernelCost implements Disposable {
  readonly method: CostMethod | undefined;
  readonly #tracer: Tracer;
  readonly #figures: Figures | undefined;
  readonly #onRate: (cores: number) => void;
  #timer: NodeJS.Timeout | undefined;
  /** Up to the end of the last period, and what was used in a second of it. */
  #seconds = 0;
  #rate = 0;
  #since = performance.now();
  #before = { seconds: 0, atMs: 0 };
  #reported = 0;

  /** @param onRate is called with the CPU seconds per second of each period. */
  constructor(tracer: Tracer, figures: Figures | undefined, onRate: (cores: number) => void = () => {}) {
    this.#tracer = tracer;
    this.#figures = figures;
    this.#onRate = onRate;
    this.method = tracer.accounting.isAllowed() ? 'measured' : figures ? 'calibrated' : undefined;
    if (this.method) this.#open();
  }

  /** CPU seconds that the programs have used since the start, on all processors together; never falls. */
  seconds(): number | undefined {
    if (!this.method) return undefined;
    const now = performance.now();
    // The first window is not over yet: what it has seen is all that there is.
    const rate = this.#rate || this.#rateOf(now);
    this.#reported = Math.max(this.#reported, this.#seconds + (rate * (now - this.#since)) / 1_000);
    return this.#reported;
  }

  /** The same per second, over the last period. */
  get rate(): number {
    return this.#rate;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #open(): void {
    try {
      if (this.method === 'measured') this.#tracer.accounting.turn(true);
      this.#before = { seconds: this.#used(), atMs: performance.now() };
      this.#timer = setTimeout(() => this.#shutIfPossible(), WINDOW_MS).unref();
    } catch (error) {
      this.#skip(error);
    }
  }

  #shutIfPossible(): void {
    try {
      this.#shut();
    } catch (error) {
      this.#skip(error);
    }
  }

  /** A process that has no descriptor left can't look: the last rate stands until it can. */
  #skip(error: unknown): void {
    if (!(error instanceof TautError) && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    if (this.method === 'measured') this.#tracer.accounting.turn(false);
    this.#timer = setTimeout(() => this.#open(), PERIOD_MS).unref();
  }

  #shut(): void {
    const now = performance.now();
    this.#rate = this.#rateOf(now);
    if (this.method === 'measured') this.#tracer.accounting.turn(false);
    this.#seconds += (this.#rate * (now - this.#since)) / 1_000;
    this.#since = now;
    this.#timer = setTimeout(() => this.#open(), PERIOD_MS - WINDOW_MS).unref();
    this.#onRate(this.#rate);
  }

  #rateOf(nowMs: number): number {
    // Switches cost nothing while no program is called for them.
    if (this.method === 'calibrated' && !this.#tracer.isMeasuring) return 0;
    return (1_000 * (this.#used() - this.#before.seconds)) / Math.max(1, nowMs - this.#before.atMs);
  }

  #used(): number {
    const { host = 0, agent = 0, dispatch = 0 } = this.#figures ?? {};
    if (this.method === 'measured') {
      const { kernelSeconds, runs } = this.#tracer.accounting.cost();
      return kernelSeconds + (runs * dispatch) / 1e9;
    }
    const counters = this.#tracer.counters();
    const of = (name: string) => counters.get(name) ?? 0;
    const recorded = of('wakeup_seen') - of('discard_sampled');
    return (contextSwitches() * host + recorded * (agent - host)) / 1e9;
  }
}

/** Of the whole host since it was started. */
function contextSwitches(): number {
  return Number(/^ctxt (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0);
}
