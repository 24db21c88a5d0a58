/** The kernel tracer's typed half: which processes are measured, and what was counted for each. */

import {
  addon,
  check,
  failed,
  type KernelEvent,
  type Layout,
  type NativeBpfObject,
  type NativeWakeupTracer,
} from '../native.ts';
import { nowMs } from '../proc/clock.ts';
import { Accounting } from './accounting.ts';
import { decodeSeries } from './decode.ts';
import { eventsOf } from './events.ts';
import type { Without } from './features.ts';
import { LetGo } from './letGo.ts';
import { LIFE, loadPrograms } from './programs.ts';
import type { AgentSnapshot, OverflowSnapshot, Series, Shed, Snapshot, TracedProcess, TracedThread } from './series.ts';
import { ShedSeries } from './shedSeries.ts';
import { Slots } from './slots.ts';
import { WakeupHooks } from './wakeupHooks.ts';

/** For `visitThreads`: every thread of the process. */
const ALL = 0;
/** So many places are ready for agents to come: making more takes milliseconds, which no attach shall wait for. */
const SPARE = 16;
/** A process that makes threads faster than they are let go is let go all the same. */
const MAX_PASSES = 64;

interface Session extends TracedProcess {
  readonly slot: number;
  readonly attachedAtMs: number;
  readonly shed: ShedSeries;
}

export interface TracerOptions {
  /** False: without the timer's part of the chain, on kernels where that can't be had. */
  readonly timers?: boolean;
  /** For tests: see `features.ts`. */
  readonly without?: Without;
  /** All is ready, and no wakeup is measured yet. */
  readonly beforeWakeups?: () => void;
  /** Agents with series of their own; further ones share one series. At most, and by default, the kernel half's 4,096. */
  readonly maxAgents?: number;
}

export class Tracer implements Disposable {
  readonly #object: NativeBpfObject;
  readonly #native: NativeWakeupTracer;
  readonly #layout: Layout;
  readonly #sessions = new Map<number, Session>();
  readonly #slots: Slots;
  readonly #overflowSlot: number;
  /** Of the agents beyond the cap, since the first of them. */
  #overflow: { readonly attachedAtMs: number; readonly shed: ShedSeries } | undefined;
  readonly #hooks: WakeupHooks;
  /** How many are measured apart from the agents. */
  #threads = 0;
  /** Where the kernel's words are copied to be decoded. */
  readonly #words: Uint32Array;
  #shed: Shed | undefined;
  #canarySlot = 0;
  #counted: readonly number[] = [];
  readonly accounting: Accounting;
  /** Whether lateness is measured, and what woke a thread is known. */
  readonly hasTimers: boolean;
  readonly #letGo = new LetGo<AgentSnapshot>();

  /** Loads and attaches the BPF programs. @throws TracerUnavailable with what to do. */
  constructor(options: TracerOptions = {}) {
    const { timers = true, without = new Set(), beforeWakeups = () => {} } = options;
    const { object, tracer, wakeups } = loadPrograms({ timers, without, beforeWakeups });
    this.#object = object;
    this.#native = tracer;
    this.#hooks = new WakeupHooks(object, wakeups);
    this.accounting = new Accounting(object, without);
    this.hasTimers = timers;
    this.#layout = addon().layout;
    const maxAgents = Math.min(options.maxAgents ?? this.#layout.maxAgents, this.#layout.maxAgents);
    this.#slots = new Slots(maxAgents);
    this.#overflowSlot = maxAgents + 1;
    this.#words = new Uint32Array(2 * this.#layout.series * this.#layout.histogramWords);
  }

  /** Whether the programs are called for every wakeup of the host. */
  get isMeasuring(): boolean {
    return this.#hooks.isHooked;
  }

  /** Hands on every life event of the kernel, in order. */
  listen(onEvents: (events: KernelEvent[]) => void): void {
    const hear = (buffer: Buffer, length: number) => onEvents(eventsOf(buffer, length, this.#layout));
    check(this.#object.listen('events', hear), 'listen to the ring buffer');
  }

  /** Measures a process from now on: `begin` and `place`. */
  attach(process: TracedProcess): 'own' | 'overflow' {
    this.begin();
    return this.place(process);
  }

  /**
   * Has the programs called for every wakeup of the host, if they are not: where nobody was measured that takes a
   * millisecond. @throws TautError
   */
  begin(): void {
    this.#hooks.hold();
  }

  /**
   * Gives every thread of a process tracer state; threads that are born later get theirs in the kernel. Its wakeups until
   * `begin`, if that comes later, are seen by nobody, and counted as that.
   * @returns whether it has series of its own, or shares those of all beyond the cap.
   * @throws TautError when the kernel has no room for it at all.
   */
  place(process: TracedProcess): 'own' | 'overflow' {
    const own = this.#slots.take();
    const slot = own ?? this.#overflowSlot;
    try {
      if (own !== undefined) check(this.#native.emptySeries(own), 'create the series of an agent');
      check(this.#native.addAgent(process.pid, slot), 'create the series of an agent');
      const before = own === undefined ? undefined : this.#letGo.resume(process);
      const shed = new ShedSeries(this.#shed, before?.series);
      const attachedAtMs = before?.attachedAtMs ?? nowMs();
      this.#sessions.set(process.pid, { ...process, slot, attachedAtMs, shed });
      check(
        this.#native.visitThreads(this.#layout.visit.attach, process.pid, slot, ALL),
        'attach the threads of an agent',
      );
      if (own === undefined) this.#overflow ??= { attachedAtMs: nowMs(), shed: new ShedSeries(this.#shed) };
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
    const { detach } = this.#layout.visit;
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const changed = this.#native.visitThreads(detach, pid, session.slot, ALL);
      if (failed(changed) || changed === 0) break;
    }
    if (!this.#isOverflow(session)) {
      const last = this.#read(session);
      if (last.series.length > 0) this.#letGo.add(last);
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
    const gone = this.#letGo.take();
    const own = [...this.#sessions.values()].filter((session) => !this.#isOverflow(session));
    return [...gone, ...own.map((session) => this.#read(session)), ...this.#overflowed()];
  }

  /** Of all wakeups: `wakeup_seen`, `wakeup_recorded`, `discard_…`: names of `native/include/taut.h`. */
  counters(): Map<string, number> {
    const values = check(this.#native.readCounters(), 'read the counters');
    return new Map(this.#layout.counters.map((name, i) => [name, (values[i] ?? 0) - (this.#counted[i] ?? 0)]));
  }

  /** Life events that nobody was told of: there was no room, or the kernel did not run the program. */
  lostEvents(): number {
    return (this.counters().get('lost_event') ?? 0) + this.accounting.missed(LIFE);
  }

  /** What was counted until now is not counted. Before the first agent, so that the counters still add up. */
  countFromHere(): void {
    this.#counted = check(this.#native.readCounters(), 'read the counters');
  }

  /**
   * Records less, or everything again. What was recorded until now stays apart from what is recorded from now on; a
   * wakeup that is on its way meanwhile may be on either side.
   */
  shed(shed: Shed | undefined): void {
    const own = [...this.#sessions.values()].filter((session) => !this.#isOverflow(session));
    const all = [...own, ...(this.#overflow ? [{ ...this.#overflow, slot: this.#overflowSlot }] : [])];
    const changes = all.map((one) => [one.shed, this.#decode(one.slot)] as const);
    this.#shed = shed;
    this.#applySettings();
    for (const [series, until] of changes) series.change(until, shed);
  }

  /** Measures one thread of this process, and only it. `isCanary`: in full, whatever is shed. @throws TautError */
  attachThread(tid: number, isCanary = false): TracedThread {
    this.#hooks.hold();
    const slot = this.#slots.take();
    if (slot === undefined) throw new Error('all places for series are taken');
    this.#threads++;
    const { attach, detach } = this.#layout.visit;
    const visit = (what: number) => this.#native.visitThreads(what, process.pid, slot, tid);
    try {
      check(this.#native.emptySeries(slot), 'create the series of a thread');
      if (check(visit(attach), 'attach a thread') !== 1) throw new Error(`thread ${tid} is not there for the kernel`);
    } catch (error) {
      this.#threads--;
      this.#give(slot);
      throw error;
    }
    if (isCanary) this.#canarySlot = slot;
    this.#applySettings();
    return {
      series: () => this.#decode(slot),
      [Symbol.dispose]: () => {
        visit(detach);
        this.#threads--;
        this.#give(slot);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#hooks[Symbol.dispose]();
    this.#native.close();
    this.#object.close();
  }

  #applySettings(): void {
    const { factor = 1, detail = true } = this.#shed ?? {};
    check(this.#native.setSettings(factor - 1, detail ? 0 : 1, this.#canarySlot), 'set what is recorded');
  }

  #give(slot: number): void {
    if (slot !== this.#overflowSlot) this.#slots.give(slot);
    if (this.#sessions.size + this.#threads === 0) this.#hooks.release();
  }

  #isOverflow({ slot }: Session): boolean {
    return slot === this.#overflowSlot;
  }

  /** Cumulative since the first of them, also when all are gone. */
  #overflowed(): OverflowSnapshot[] {
    if (!this.#overflow) return [];
    const { attachedAtMs, shed } = this.#overflow;
    return [{ overflow: true, attachedAtMs, series: shed.split(this.#decode(this.#overflowSlot)) }];
  }

  #read(session: Session): AgentSnapshot {
    const { pid, name, createdAtMs, attachedAtMs, slot, shed } = session;
    return { pid, name, createdAtMs, attachedAtMs, series: shed.split(this.#decode(slot)) };
  }

  #decode(slot: number): Series[] {
    check(this.#native.readSeries(slot, this.#words), 'read the series of an agent');
    const series = decodeSeries(this.#words, this.#layout);
    if (this.hasTimers) return series;
    // What woke a thread is not known then: `other` would say that no timer did.
    return series.map((s) => ({ ...s, source: undefined }));
  }
}
