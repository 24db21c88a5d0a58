/** The kernel tracer's typed half: which processes are measured, and what was counted for each. */
import { addon, check, type KernelEvent, type Layout, type NativeTracer } from '../native.ts';
import { decodeSeries } from './decode.ts';
import { loadPrograms } from './programs.ts';
import type { AgentSnapshot } from './series.ts';

const ATTACH = 1;
const DETACH = 2;

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
  readonly #freeSlots: number[] = [];
  /** Last snapshots of processes that are gone, until the next collection has taken them. */
  #last: AgentSnapshot[] = [];
  #slots = 0;

  /** Loads and attaches the BPF programs. @throws TracerUnavailable with what to do. */
  constructor() {
    this.#native = loadPrograms();
    this.#layout = addon().layout;
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
    const slot = this.#freeSlots.pop() ?? ++this.#slots;
    try {
      if (slot > this.#layout.maxAgents) throw new Error(`more than ${this.#layout.maxAgents} agents at once`);
      check(this.#native.addAgent(process.pid, slot), 'create the series of an agent');
      this.#sessions.set(process.pid, { ...process, slot, attachedAtMs: Date.now() });
      check(this.#native.visitThreads(ATTACH, process.pid, slot), 'attach the threads of an agent');
    } catch (error) {
      if (this.#sessions.has(process.pid)) this.detach(process.pid);
      else this.#freeSlots.push(slot);
      throw error;
    }
  }

  /** Takes the tracer state away; what was counted is in the next collection, once. */
  detach(pid: number): void {
    const session = this.#sessions.get(pid);
    if (!session) return;
    this.#native.visitThreads(DETACH, pid, session.slot);
    const last = this.#read(session);
    if (last.series.length > 0) this.#last.push(last);
    this.#native.removeAgent(pid, session.slot);
    this.#sessions.delete(pid);
    this.#freeSlots.push(session.slot);
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
    const words = check(this.#native.readSeries(session.slot), 'read the series of an agent') as BigUint64Array;
    const { pid, name, createdAtMs, attachedAtMs } = session;
    return { pid, name, createdAtMs, attachedAtMs, series: decodeSeries(words, this.#layout) };
  }
}
