/** The canary: a thread of taut that sleeps to known deadlines. Compares its own measurements with the tracer's. */
import { setTimeout } from 'node:timers/promises';
import { addon, check, type NativeCanary } from '../native.ts';
import { add, empty, subtract } from './arithmetic.ts';
import { judge, type Wake } from './canaryVerdict.ts';
import type { ExpHistogram, TracedThread } from './series.ts';
import type { Tracer } from './tracer.ts';

/** A window is cut only if the canary sleeps at least this long from then on; cutting takes less. */
const QUIET_NS = 2_000_000n;
const RETRY_MS = 3;

/** Reasons to discard a wakeup when the kernel ran no program at its end, its beginning, or in between. */
const BROKEN = ['restamped', 'no_waking', 'no_switch'] as const;

/** What the tracer had counted when a window was cut. */
interface Counted {
  readonly counted: ExpHistogram;
  readonly unseen: number;
  readonly broken: number;
}

export interface CanaryFinding {
  readonly wakes: number;
  /** Undefined when both agree. */
  readonly disagreement: string | undefined;
}

export class Canary implements Disposable {
  readonly #tracer: Tracer;
  readonly #native: NativeCanary;
  readonly #thread: TracedThread;
  #wakes: Wake[] = [];
  #counted = empty(addon().layout.scale);
  #unseen = 0;
  #broken = 0;
  #owed = 0;
  #isBegun = false;
  #ended = false;

  /** Starts the thread. `intervalMs`: the mean of its sleeps. @throws Error when it can't be measured. */
  constructor(tracer: Tracer, intervalMs: number) {
    this.#tracer = tracer;
    this.#native = new (addon().Canary)();
    try {
      const tid = check(this.#native.start(intervalMs * 1e6), 'start the canary');
      this.#thread = tracer.attachThread(tid, true);
    } catch (error) {
      this.#native.close();
      throw error;
    }
  }

  /** The canary's wakeup latency since the start, as the tracer counted it. */
  latency(): ExpHistogram {
    return this.#thread
      .series()
      .filter(({ quantity, source }) => quantity === 'wakeup.latency' && source !== 'other')
      .reduce((sum, { histogram }) => add(sum, histogram), empty(addon().layout.scale));
  }

  /** Compares what both counted since the last call. Undefined at the first call, which only begins, and when ended. */
  async compare(): Promise<CanaryFinding | undefined> {
    const now = await this.#cut();
    if (!now) return undefined;
    const wakes = this.#wakes.splice(0);
    const counted = subtract(now.counted, this.#counted);
    const unseen = now.unseen - this.#unseen;
    const broken = now.broken - this.#broken;
    this.#counted = now.counted;
    this.#unseen = now.unseen;
    this.#broken = now.broken;
    if (!this.#isBegun) {
      this.#isBegun = true;
      return undefined;
    }
    const fromDeadline = this.#tracer.hasTimers;
    const verdict = judge({ wakes, counted, unseen, broken, owed: this.#owed, fromDeadline });
    this.#owed = verdict.owed;
    return { wakes: wakes.length, disagreement: verdict.disagreement };
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#native.close(); // the thread ends, and the kernel drops its tracer state
    this.#thread[Symbol.dispose]();
  }

  /** Reads both while the canary sleeps: then its notes and the tracer cover the same wakeups. */
  async #cut(): Promise<Counted | undefined> {
    while (!this.#ended) {
      const until = this.#native.until();
      if (until - process.hrtime.bigint() > QUIET_NS) {
        this.#wakes.push(...wakesOf(this.#native.take()));
        const counted = this.latency();
        const counters = this.#tracer.counters();
        const unseen = counters.get('discard_unseen') ?? 0;
        const broken = BROKEN.reduce((sum, reason) => sum + (counters.get(`discard_${reason}`) ?? 0), 0);
        if (process.hrtime.bigint() < until && this.#native.until() === until) return { counted, unseen, broken };
      }
      await setTimeout(RETRY_MS);
    }
    return undefined;
  }
}

function wakesOf(words: BigUint64Array): Wake[] {
  const at = addon().layout.wake;
  const field = (wake: number, offset: number) => words[(wake * at.bytes + offset) / words.BYTES_PER_ELEMENT] ?? 0n;
  return Array.from({ length: words.byteLength / at.bytes }, (_, i) => ({
    lateNs: Number(field(i, at.woke) - field(i, at.deadline)),
    cpuNs: Number(field(i, at.cpu)),
    sleeps: Number(field(i, at.sleeps)),
    preempted: Number(field(i, at.preempted)),
  }));
}
