/**
 * Measures the agents. Knows the mode, whether the tracer is reliable (the canary), what it costs in CPU time, and how
 * much it leaves out to keep the cost below a limit. Reports each change once, as a log line and as an event.
 */
import { nowMs } from '../proc/clock.ts';
import type { CostPerEvent } from '../tracer/calibrate.ts';
import { CanaryWatch } from '../tracer/canaryWatch.ts';
import { KernelCost } from '../tracer/cost.ts';
import type { Mode } from '../tracer/features.ts';
import type { Measuring } from '../tracer/measuring.ts';
import { EVERYTHING, MAX_LEVEL, nextOverhead, type OverheadState, shedAt } from '../tracer/overhead.ts';
import type {
  AgentSnapshot,
  ExpHistogram,
  FlagVariant,
  RunQueueTime,
  Shed,
  Snapshot,
  TracedProcess,
} from '../tracer/series.ts';
import type { Tracer } from '../tracer/tracer.ts';
import type { Log } from '../util/log.ts';
import { reportDegraded, reportShedding } from './reportMeasuring.ts';
import type { TracerStatus } from './status.ts';
import { type Waits, waitsOf } from './waits.ts';

export interface MeasurementOptions {
  readonly measuring: Measuring;
  readonly log: Log;
  /** What the BPF programs may use, in CPU seconds per second. Undefined: no limit. */
  readonly maxOverhead: number | undefined;
}

export class Measurement implements Disposable {
  readonly mode: Mode;
  readonly #options: MeasurementOptions;
  readonly #tracer: Tracer | undefined;
  readonly #costPerEvent: CostPerEvent | undefined;
  readonly #cost: KernelCost | undefined;
  readonly #canary: CanaryWatch | undefined;
  readonly #present = new Set<number>();
  #onChange: () => void = () => {};
  #overhead: OverheadState = EVERYTHING;
  #saidLimit = false;

  constructor(options: MeasurementOptions) {
    this.#options = options;
    const { measuring, log } = options;
    this.mode = measuring.mode;
    this.#tracer = measuring.tracer;
    this.#costPerEvent = measuring.costPerEvent;
    if (!this.#tracer) return;
    this.#cost = new KernelCost(this.#tracer, this.#costPerEvent, (cores) => this.#onCost(cores));
    this.#canary = new CanaryWatch(this.#tracer, log, (reason) => reportDegraded(log, this.mode, reason));
  }

  /**
   * Gives a process its slot; `begin` starts to measure it.
   * @returns `overflow` when all slots are taken: the process then shares one series with others.
   */
  attach(process: TracedProcess): 'own' | 'overflow' {
    const series = this.#tracer?.trace(process) ?? 'own';
    this.#options.measuring.schedstat?.attach(process);
    this.#present.add(process.pid);
    this.#onChange();
    return series;
  }

  /** Measures all processes that have a slot, from now on. */
  begin(): void {
    if (this.#present.size === 0) return;
    this.#canary?.isNeeded(true);
    this.#tracer?.begin();
  }

  detach(pid: number): void {
    this.#tracer?.detach(pid);
    this.#options.measuring.schedstat?.detach(pid);
    this.#present.delete(pid);
    this.#canary?.isNeeded(this.#present.size > 0);
    this.#onChange();
  }

  /** Sets a callback that runs when one more process is measured, or one less. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** What flags have decided on a process: its series are told apart by that. */
  decided(pid: number, flag: FlagVariant | undefined): void {
    this.#tracer?.decided(pid, flag);
  }

  /** Call periodically: schedstat is polled. */
  sample(): void {
    this.#options.measuring.schedstat?.sample();
  }

  /** Read one after the other. @param keep the last counts of those that have ended stay, until `exported`. */
  snapshots(keep = false): Iterable<Snapshot> {
    return this.#tracer?.collecting(keep) ?? [];
  }

  /** What was read last need not be read again. */
  exported(): void {
    this.#tracer?.exported();
    this.#options.measuring.schedstat?.exported();
  }

  /** What a process waited for until now; undefined when it has no series of its own. */
  waits(pid: number): Waits | undefined {
    const snapshot = this.snapshot(pid);
    return snapshot && waitsOf(snapshot, nowMs(), this.#tracer?.hasTimers);
  }

  /** @returns undefined for a process that has no series of its own. */
  snapshot(pid: number): AgentSnapshot | undefined {
    return this.#tracer?.snapshot(pid);
  }

  /** Run-queue time per agent; empty unless the mode is `schedstat`. @param keep as of `snapshots` */
  runQueueTimes(keep = false): RunQueueTime[] {
    return this.#options.measuring.schedstat?.collect(keep) ?? [];
  }

  /** How late the canary was woken; undefined when there is no canary. */
  canaryLatency(): ExpHistogram | undefined {
    return this.#canary?.latency();
  }

  kernelCpu(): { readonly seconds: number; readonly method: string } | undefined {
    const seconds = this.#cost?.seconds();
    return seconds === undefined ? undefined : { seconds, method: this.#cost?.method ?? '' };
  }

  /** Whether the canary and the tracer disagree; undefined when no canary has begun. */
  get isDegraded(): boolean | undefined {
    return this.#canary?.isBegun ? this.#canary.degraded !== undefined : undefined;
  }

  /** What is left out now to reduce the cost; undefined when nothing is. */
  get shed(): Shed | undefined {
    return shedAt(this.#overhead.level);
  }

  status(): TracerStatus {
    const { lack } = this.#options.measuring;
    return {
      mode: this.mode,
      modeReason: lack?.message ?? null,
      state: this.#canary?.degraded === undefined ? 'ok' : 'degraded',
      reason: this.#canary?.degraded ?? null,
      cost: { percent: this.#cost?.method ? 100 * this.#cost.rate : null, method: this.#cost?.method ?? null },
      sampling: { factor: this.shed?.factor ?? 1, detail: this.shed?.detail ?? true },
    };
  }

  [Symbol.dispose](): void {
    this.#cost?.[Symbol.dispose]();
    this.#canary?.[Symbol.dispose]();
  }

  #onCost(cores: number): void {
    const { maxOverhead: limit, log } = this.#options;
    if (limit === undefined || !this.#tracer) return;
    const before = this.#overhead;
    this.#overhead = nextOverhead(before, cores, limit);
    if (this.#overhead.level !== before.level) {
      this.#tracer.shed(this.shed);
      this.#saidLimit = false;
      reportShedding(log, this.mode, this.shed, 100 * cores, 100 * limit);
    } else if (cores > limit && before.level === MAX_LEVEL && !this.#saidLimit) {
      this.#saidLimit = true;
      log.warn(
        `measuring costs ${(100 * cores).toFixed(3)}% of a core with all shed that can be: being called for every switch of this host is more than --max-overhead allows`,
      );
    }
  }
}
