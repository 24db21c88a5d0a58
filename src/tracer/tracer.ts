/** The kernel tracer's typed half: which processes are measured, and what was counted for each. */
import { addon, check, type KernelEvent, type Layout, type NativeTracer } from '../native.ts';
import { decodeSeries } from './decode.ts';
import { loadPrograms } from './programs.ts';
import type { AgentSnapshot } from './series.ts';
import { Slots } from './slots.ts';

const ATTACH = 1;
const DETACH = 2;
/** So many places are ready for agents to come: making more takes milliseconds, which no attach shall wait for. */
const SPARE = 16;
/** A process that makes threads faster than they are let go is let go all the same. */
const MAX_PASSES = 64;

export interface TracedProcess {
  readonly pid: number;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
}

interface Session extends TracedProcess {
  readonly slot: number;
  readonly attachedAtMs: number;
}

/** What measuring cost so far, in seconds of CPU. */
export interface TracerCost {
  readonly kernelSeconds: number;
  readonly runs: number;
}

export class Tracer implements Disposable {
  readonly #native: NativeTracer;
  readonly #layout: Layout;
  readonly #sessions = new Map<number, Session>();
  readonly #slots: Slots;
  /** Where the kernel's words are copied to be decoded. */
  readonly #words: Uint32Array;
  /** Last snapshots of processes that are gone, until the next collection has taken them. */
  #last: AgentSnapshot[] = [];

  /** Loads and attaches the BPF programs. @throws TracerUnavailable with what to do. */
  constructor() {
    this.#native = loadPrograms();
    this.#layout = addon().layout;
    this.#slots = new Slots(this.#layout.maxAgents);
    this.#words = new Uint32Array(2 * this.#layout.series * this.#layout.histogramWords);
  }

  /** Hands on every life event of the kernel, in order. */
  listen(onEvents: (events: KernelEvent[]) => void): void {
    check(this.#native.listen(onEvents), 'listen to the ring buffer');
  }

  /**
   * Gives every thread of a process tracer state; threads that are born later get theirs in the kernel.
   * @throws TautError when the kernel has no room for another agent.
   */
  attach(process: TracedProcess): void {
    const slot = this.#slots.take();
    try {
      check(this.#native.addAgent(process.pid, slot), 'create the series of an agent');
      this.#sessions.set(process.pid, { ...process, slot, attachedAtMs: Date.now() });
      check(this.#native.visitThreads(ATTACH, process.pid, slot), 'attach the threads of an agent');
      setImmediate(() => this.#native.reserve(Math.min(slot + SPARE, this.#layout.maxAgents)));
    } catch (error) {
      if (this.#sessions.has(process.pid)) this.detach(process.pid);
      else this.#slots.give(slot);
      throw error;
    }
  }

  /** Takes the tracer state away; what was counted is in the next collection, once. */
  detach(pid: number): void {
    const session = this.#sessions.get(pid);
    if (!session) return;
    // First its place, so that its threads' threads get no state of their own; then until no thread has any.
    this.#native.removeAgent(pid);
    for (let pass = 0; pass < MAX_PASSES; pass++) if (this.#native.visitThreads(DETACH, pid, session.slot) <= 0) break;
    const last = this.#read(session);
    if (last.series.length > 0) this.#last.push(last);
    this.#sessions.delete(pid);
    this.#slots.give(session.slot);
  }

  /** What was counted for one process; undefined when it is not attached. */
  snapshot(pid: number): AgentSnapshot | undefined {
    const session = this.#sessions.get(pid);
    return session && this.#read(session);
  }

  /** All attached processes, and once more each that was detached since the last call. */
  collect(): AgentSnapshot[] {
    const gone = this.#last;
    this.#last = [];
    return [...gone, ...[...this.#sessions.values()].map((session) => this.#read(session))];
  }

  /** The correctness ledger: `wakeup_seen`, `wakeup_recorded`, `discard_…`: names of `native/include/taut.h`. */
  counters(): Map<string, number> {
    const values = check(this.#native.readCounters(), 'read the counters') as number[];
    return new Map(this.#layout.counters.map((name, i) => [name, values[i] ?? 0]));
  }

  /** Turns the kernel's own run-time statistics of BPF programs on or off. They add about 20 ns to each run. */
  accountCost(on: boolean): void {
    check(this.#native.setStats(on), 'bpf_enable_stats');
  }

  /** Whether these privileges suffice for `accountCost`. Tries it. */
  mayAccountCost(): boolean {
    return this.#native.setStats(true) >= 0 && this.#native.setStats(false) >= 0;
  }

  /** What the programs used while accounting was on. */
  cost(): TracerCost {
    const programs = check(this.#native.runTime(), 'read the run time') as { ns: number; runs: number }[];
    return {
      kernelSeconds: programs.reduce((sum, p) => sum + p.ns, 0) / 1e9,
      runs: programs.reduce((sum, p) => sum + p.runs, 0),
    };
  }

  [Symbol.dispose](): void {
    this.#native.close();
  }

  #read(session: Session): AgentSnapshot {
    check(this.#native.readSeries(session.slot, this.#words), 'read the series of an agent');
    const { pid, name, createdAtMs, attachedAtMs } = session;
    return { pid, name, createdAtMs, attachedAtMs, series: decodeSeries(this.#words, this.#layout) };
  }
}
