/**
 * Measures what the tracer's programs cost on this host. Two threads pass a byte back and forth on one CPU; each turn
 * is a wakeup and a switch. This load runs before the programs are attached and after, and the CPU times are compared
 * (the least of several rounds). The difference is the full cost, including dispatch, which the kernel's own accounting
 * leaves out. One run follows right after the other, because the speed of a virtual machine's CPU changes within tenths
 * of a second.
 */
import { addon, check, type NativeCalibrationLoad } from '../native.ts';
import type { Tracer } from './tracer.ts';

/** Many short rounds: on a busy host few are undisturbed, and the least of them counts. */
const ROUNDS = 24;
const TURNS = 100;
/** Programs that run per turn: on_waking, on_wakeup, on_switch. */
const RUNS = 3;
/**
 * The least plausible cost of a run, in nanoseconds: 15 for an empty program (published by others) and 12 for the
 * look-up (measured with Linux 6.18). A smaller result is noise of a busy host.
 */
const LEAST_RUN = 27;

/** Costs in nanoseconds of CPU time. */
export interface CostPerEvent {
  /** A wakeup and its switch, for a task that is not an agent's thread. */
  readonly host: number;
  /** The same for an agent's thread, whose wakeup is recorded. */
  readonly agent: number;
  /** Calling a program, in addition to what the kernel accounts to it; 0 if the kernel's accounting is not allowed. */
  readonly dispatch: number;
}

export class Calibration implements Disposable {
  readonly #load: NativeCalibrationLoad;
  readonly #threads: [number, number];
  #bare = Number.NaN;

  /** @throws TautError when the threads can't be started. */
  constructor() {
    this.#load = new (addon().CalibrationLoad)();
    this.#threads = check(this.#load.start(), 'start the load');
  }

  /** Call right before the programs are attached. Takes some milliseconds. @throws TautError */
  before(): void {
    this.#bare = this.#least();
  }

  /** Call right after they are attached. Resets the tracer's counters, so that they don't include the load. */
  finish(tracer: Tracer): CostPerEvent {
    const host = Math.max(RUNS * LEAST_RUN, this.#least() - this.#bare);
    const accounted = tracer.accounting.isAllowed() ? this.#accounted(tracer) : undefined;
    const traced = this.#threads.map((tid) => tracer.attachThread(tid));
    const agent = Math.max(host, this.#least() - this.#bare);
    for (const thread of traced) thread[Symbol.dispose]();
    tracer.countFromHere();
    return { host, agent, dispatch: accounted === undefined ? 0 : Math.max(0, host / RUNS - accounted) };
  }

  [Symbol.dispose](): void {
    this.#load.close();
  }

  /** The time that the kernel accounts to one run of a program, in nanoseconds. */
  #accounted(tracer: Tracer): number {
    tracer.accounting.turn(true);
    const before = tracer.accounting.cost();
    this.#load.run(TURNS);
    const { kernelSeconds, runs } = tracer.accounting.cost();
    tracer.accounting.turn(false);
    return (1e9 * (kernelSeconds - before.kernelSeconds)) / Math.max(1, runs - before.runs);
  }

  /** The CPU time of one undisturbed turn, in nanoseconds. */
  #least(): number {
    const rounds = Array.from({ length: ROUNDS }, () => check(this.#load.run(TURNS), 'run the load'));
    return Math.min(...rounds) / (2 * TURNS);
  }
}
