/**
 * Estimates continuously what the tracer's programs cost the host, without the cost of permanent accounting.
 *
 * `measured`, if the kernel allows it (CAP_SYS_ADMIN): the kernel's statistics are on for a tenth of the time, and are
 * extrapolated. They leave out the call of each program; its calibrated cost is added.
 * `calibrated`, otherwise: the number of events, times the cost of one when the tracer was started. /proc/stat has the
 * host's context switches; each is assumed to be a wakeup, too, which is an upper bound. The timers of other processes
 * are left out: one program of four, for less than one event in ten.
 */
import { readFileSync } from 'node:fs';
import { TautError } from '../native.ts';
import type { CostPerEvent } from './calibrate.ts';
import type { Tracer } from './tracer.ts';

const PERIOD_MS = 5_000;
const WINDOW_MS = 500;

export type CostMethod = 'measured' | 'calibrated';

export class KernelCost implements Disposable {
  readonly method: CostMethod | undefined;
  readonly #tracer: Tracer;
  readonly #costPerEvent: CostPerEvent | undefined;
  readonly #onRate: (cores: number) => void;
  #timer: NodeJS.Timeout | undefined;
  /** CPU seconds up to the end of the last period, and CPU seconds per second in that period. */
  #seconds = 0;
  #rate = 0;
  #since = performance.now();
  #before = { seconds: 0, atMs: 0 };
  #reported = 0;

  /** @param onRate is called with the CPU seconds per second of each period. */
  constructor(tracer: Tracer, costPerEvent: CostPerEvent | undefined, onRate: (cores: number) => void = () => {}) {
    this.#tracer = tracer;
    this.#costPerEvent = costPerEvent;
    this.#onRate = onRate;
    this.method = tracer.accounting.isAllowed() ? 'measured' : costPerEvent ? 'calibrated' : undefined;
    if (this.method) this.#open();
  }

  /** CPU seconds that the programs have used since the start, on all processors together; never decreases. */
  seconds(): number | undefined {
    if (!this.method) return undefined;
    const now = performance.now();
    // Before the end of the first window, the rate comes from its data so far.
    const rate = this.#rate || this.#rateOf(now);
    this.#reported = Math.max(this.#reported, this.#seconds + (rate * (now - this.#since)) / 1_000);
    return this.#reported;
  }

  /** CPU seconds per second, over the last period. */
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

  /** Skips a period, for example when no descriptor is left: the last rate is used until reading works again. */
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
    // Switches cost nothing while no program is attached to them.
    if (this.method === 'calibrated' && !this.#tracer.isMeasuring) return 0;
    return (1_000 * (this.#used() - this.#before.seconds)) / Math.max(1, nowMs - this.#before.atMs);
  }

  #used(): number {
    const { host = 0, agent = 0, dispatch = 0 } = this.#costPerEvent ?? {};
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

/** Context switches of the whole host since boot. */
function contextSwitches(): number {
  return Number(/^ctxt (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0);
}
