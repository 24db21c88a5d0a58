/**
 * What the tracer's programs cost on this host, by a load of known size that is run before they are attached and after:
 * two threads that hand a byte back and forth on one CPU, a wakeup and a switch each turn. Their CPU time is compared, the
 * least of several rounds, so it is all of the cost: dispatch, which the kernel's own accounting leaves out, as well. One
 * right after the other: how fast a virtual machine's CPU is changes from one tenth of a second to the next.
 */
import { addon, check, type NativeExercise } from '../native.ts';
import type { Tracer } from './tracer.ts';

/** Many and short: on a busy host few are undisturbed, and the least counts. */
const ROUNDS = 24;
const TURNS = 100;
/** Programs that run in one turn: on_waking, on_wakeup, on_switch. */
const RUNS = 3;
/**
 * Nanoseconds of a run at the least: 15, which others have published for a program that does nothing, and 12 for the
 * look-up (measured with Linux 6.18). Less than that is the noise of a busy host.
 */
const LEAST_RUN = 27;

/** Nanoseconds of CPU. */
export interface Figures {
  /** A wakeup and the switch that it leads to, of a task that is no agent's thread. */
  readonly host: number;
  /** The same of an agent's thread, recorded. */
  readonly agent: number;
  /** Calling a program, beside what the kernel accounts to it; 0 where it accounts nothing. */
  readonly dispatch: number;
}

export class Calibration implements Disposable {
  readonly #load: NativeExercise;
  readonly #threads: [number, number];
  #bare = Number.NaN;

  /** @throws TautError when there can be no threads. */
  constructor() {
    this.#load = new (addon().Exercise)();
    this.#threads = check(this.#load.start(), 'start the load');
  }

  /** Right before the programs are attached. Takes some milliseconds. @throws TautError */
  before(): void {
    this.#bare = this.#least();
  }

  /** After. What the tracer counted of it is not among its counters. */
  finish(tracer: Tracer): Figures {
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

  /** Nanoseconds that the kernel accounts to one run of a program. */
  #accounted(tracer: Tracer): number {
    tracer.accounting.turn(true);
    const before = tracer.accounting.cost();
    this.#load.run(TURNS);
    const { kernelSeconds, runs } = tracer.accounting.cost();
    tracer.accounting.turn(false);
    return (1e9 * (kernelSeconds - before.kernelSeconds)) / Math.max(1, runs - before.runs);
  }

  /** Nanoseconds of a turn, where nothing else disturbed it. */
  #least(): number {
    const rounds = Array.from({ length: ROUNDS }, () => check(this.#load.run(TURNS), 'run the load'));
    return Math.min(...rounds) / (2 * TURNS);
  }
}
