/** The kernel tracer's typed half: which processes are measured, and what was counted for each. */
import { addon, check, type KernelEvent, type Layout, type NativeTracer } from '../native.ts';
import { decodeSeries } from './decode.ts';
import { hookWakeups, loadPrograms } from './programs.ts';
import type { AgentSnapshot, OverflowSnapshot, Series, Snapshot } from './series.ts';
import { Slots } from './slots.ts';

const ATTACH = 1;
const DETACH = 2;
/** So many places are ready for agents to come: making more takes milliseconds, which no attach shall wait for. */
const SPARE = 16;
/** A process that makes threads faster than they are let go is let go all the same. */
const MAX_PASSES = 64;
/** Without an agent for so long, nothing is measured: agents that come and go in turns shall not pay for hooking. */
const IDLE_MS = 5_000;

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

export interface TracerOptions {
  /** Agents with series of their own; further ones share one series. At most, and by default, the kernel half's 4,096. */
  readonly maxAgents?: number;
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
  readonly #overflowSlot: number;
  #overflowSinceMs: number | undefined;
  /** Whether the programs that measure wakeups are on their tracepoints. */
  #isHooked = true;
  #idle: NodeJS.Timeout | undefined;
  /** Where the kernel's words are copied to be decoded. */
  readonly #words: Uint32Array;
  /** Last snapshots of processes that are gone, until the next collection has taken them. */
  #last: AgentSnapshot[] = [];

  /** Loads and attaches the BPF programs. @throws TracerUnavailable with what to do. */
  constructor(options: TracerOptions = {}) {
    this.#native = loadPrograms();
    this.#layout = addon().layout;
    const maxAgents = Math.min(options.maxAgents ?? this.#layout.maxAgents, this.#layout.maxAgents);
    this.#slots = new Slots(maxAgents);
    this.#overflowSlot = maxAgents + 1;
    this.#unhookWhenIdle();
    this.#words = new Uint32Array(2 * this.#layout.series * this.#layout.histogramWords);
  }

  /** Hands on every life event of the kernel, in order. */
  listen(onEvents: (events: KernelEvent[]) => void): void {
    check(this.#native.listen(onEvents), 'listen to the ring buffer');
  }

  /**
   * Gives every thread of a process tracer state; threads that are born later get theirs in the kernel.
   * @returns whether it has series of its own, or shares those of all beyond the cap.
   * @throws TautError when the kernel has no room for it at all.
   */
  attach(process: TracedProcess): 'own' | 'overflow' {
    this.#hook();
    const own = this.#slots.take();
    const slot = own ?? this.#overflowSlot;
    try {
      check(this.#native.addAgent(process.pid, slot, own === undefined), 'create the series of an agent');
      this.#sessions.set(process.pid, { ...process, slot, attachedAtMs: Date.now() });
      check(this.#native.visitThreads(ATTACH, process.pid, slot), 'attach the threads of an agent');
      if (own === undefined) this.#overflowSinceMs ??= Date.now();
      else setImmediate(() => this.#native.reserve(Math.min(own + SPARE, this.#layout.maxAgents)));
    } catch (error) {
      if (this.#sessions.has(process.pid)) this.detach(process.pid);
      else this.#give(slot);
      throw error;
    }
    return own === undefined ? 'overflow' : 'own';
  }

  /** Takes the tracer state away; what was counted is in the next collection, once. */
  detach(pid: number): void {
    const session = this.#sessions.get(pid);
    if (!session) return;
    // First its place, so that its threads' threads get no state of their own; then until no thread has any.
    this.#native.removeAgent(pid);
    for (let pass = 0; pass < MAX_PASSES; pass++) if (this.#native.visitThreads(DETACH, pid, session.slot) <= 0) break;
    if (!this.#isOverflow(session)) {
      const last = this.#read(session);
      if (last.series.length > 0) this.#last.push(last);
    }
    this.#sessions.delete(pid);
    this.#give(session.slot);
  }

  /** What was counted for one process; undefined when it is not attached, or has no series of its own. */
  snapshot(pid: number): AgentSnapshot | undefined {
    const session = this.#sessions.get(pid);
    return session && !this.#isOverflow(session) ? this.#read(session) : undefined;
  }

  /** All attached processes, once more each that was detached since the last call, and those beyond the cap as one. */
  collect(): Snapshot[] {
    const gone = this.#last;
    this.#last = [];
    const own = [...this.#sessions.values()].filter((session) => !this.#isOverflow(session));
    return [...gone, ...own.map((session) => this.#read(session)), ...this.#overflow()];
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
    clearTimeout(this.#idle);
    this.#native.close();
  }

  #hook(): void {
    clearTimeout(this.#idle);
    if (this.#isHooked) return;
    hookWakeups(this.#native, true);
    this.#isHooked = true;
  }

  #unhookWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#isHooked = false;
      hookWakeups(this.#native, false);
    }, IDLE_MS).unref();
  }

  #give(slot: number): void {
    if (slot !== this.#overflowSlot) this.#slots.give(slot);
    if (this.#sessions.size === 0) this.#unhookWhenIdle();
  }

  #isOverflow({ slot }: Session): boolean {
    return slot === this.#overflowSlot;
  }

  /** Cumulative since the first of them, also when all are gone. */
  #overflow(): OverflowSnapshot[] {
    if (this.#overflowSinceMs === undefined) return [];
    return [{ overflow: true, attachedAtMs: this.#overflowSinceMs, series: this.#series(this.#overflowSlot) }];
  }

  #read({ slot, pid, name, createdAtMs, attachedAtMs }: Session): AgentSnapshot {
    return { pid, name, createdAtMs, attachedAtMs, series: this.#series(slot) };
  }

  #series(slot: number): Series[] {
    check(this.#native.readSeries(slot, this.#words), 'read the series of an agent');
    return decodeSeries(this.#words, this.#layout);
  }
}
