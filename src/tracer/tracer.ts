/** The TypeScript half of the kernel tracer: decides which processes are measured, and reads the counts of each. */

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
import { isSame, LetGo } from './letGo.ts';
import { LIFE, loadPrograms } from './programs.ts';
import type {
  AgentSnapshot,
  FlagVariant,
  OverflowSnapshot,
  Series,
  Shed,
  Snapshot,
  TracedProcess,
  TracedThread,
} from './series.ts';
import { SeriesBySetting } from './seriesBySetting.ts';
import { Slots } from './slots.ts';
import { WakeupHooks } from './wakeupHooks.ts';

/** For `visitThreads`: every thread of the process, or every process. */
const ALL = 0;
/**
 * The ring buffers with the events, and how many events of each are handled before those of the others get their turn. What
 * causes an event comes after it in this list: see `native/addon/ring_buffer.h`. A rename takes longest, and can wait.
 */
const RINGS = [
  ['renames', 32],
  ['execs', 128],
  ['births', 8_192],
] as const;
const MAX_U32 = 0xffff_ffff;
/** Number of slots prepared for future agents: preparing takes milliseconds, and no attach should wait for it. */
const SPARE = 16;
/** How long after the last agent went blocks of slots that nobody uses are given back. */
const FREE_AFTER_MS = 5_000;
/** Give up detaching after this many passes over the threads. */
const MAX_PASSES = 64;
/** Variants of flags by which the series of one agent are told apart: each has its own, which are exported to the agent's end. */
const MOST_VARIANTS = 8;

/** What a lost event was about. `unseen`: the kernel did not run the program, so nothing is known of it. */
export type LostKind = 'exec' | 'birth' | 'end' | 'rename' | 'unseen';

interface Session extends TracedProcess {
  /** Whether a collection has had its counts, and whether one that was exported has. */
  isShown: boolean;
  isCollected: boolean;
  /** Whether it was decided on it. */
  isDecided: boolean;
  readonly variants: Set<string>;
  readonly slot: number;
  readonly attachedAtMs: number;
  readonly counts: SeriesBySetting;
}

export interface TracerOptions {
  /** False: without the timer part of the chain, for kernels that lack what it needs. */
  readonly timers?: boolean;
  /** True: wakeup latency and run-queue delay are split by the scheduler's slice. Each agent takes half as much memory again. */
  readonly slices?: boolean;
  /** For tests: see `features.ts`. */
  readonly without?: Without;
  /** Called when all is ready, before the wakeup programs are attached. */
  readonly beforeWakeups?: () => void;
  /** Agents with series of their own; further agents share one. Maximum and default: 1,024, the kernel half's limit. */
  readonly maxAgents?: number;
  /** Agents that come and go between two collections and have a last point of their own. Default: 1,024. */
  readonly maxGone?: number;
}

export class Tracer implements Disposable {
  readonly #object: NativeBpfObject;
  readonly #native: NativeWakeupTracer;
  readonly #layout: Layout;
  readonly #sessions = new Map<number, Session>();
  readonly #slots: Slots;
  readonly #maxGone: number;
  readonly #overflowSlot: number;
  /** The shared series of the agents without a slot of their own, since the first of them. */
  #overflow: { readonly attachedAtMs: number; readonly counts: SeriesBySetting } | undefined;
  readonly #hooks: WakeupHooks;
  /** How many threads are measured apart from the agents. */
  #threads = 0;
  /** Buffer for the kernel's words, before they are decoded. */
  readonly #words: Uint32Array;
  #shed: Shed | undefined;
  #canarySlot = 0;
  #counted: readonly number[] = [];
  readonly accounting: Accounting;
  /** Whether the timer part is measured: lateness, and what woke a thread. */
  readonly hasTimers: boolean;
  #freeing: NodeJS.Timeout | undefined;
  readonly #hasSlices: boolean;
  readonly #letGo = new LetGo<AgentSnapshot>();

  /** Loads and attaches the BPF programs. @throws TracerUnavailable with what to do. */
  constructor(options: TracerOptions = {}) {
    const { timers = true, slices = false, without = new Set(), beforeWakeups = () => {} } = options;
    const { object, tracer, wakeups } = loadPrograms({ timers, slices, without, beforeWakeups });
    this.#object = object;
    this.#native = tracer;
    this.#hooks = new WakeupHooks(object, wakeups);
    this.accounting = new Accounting(object, without);
    this.hasTimers = timers;
    this.#hasSlices = slices;
    this.#layout = addon().layout;
    const maxAgents = Math.min(options.maxAgents ?? this.#layout.maxAgents, this.#layout.maxAgents);
    this.#slots = new Slots(maxAgents);
    this.#maxGone = options.maxGone ?? 1_024;
    this.#overflowSlot = maxAgents + 1;
    this.#words = new Uint32Array(2 * this.#layout.series.length * this.#layout.histogramWords);
  }

  /** Whether the programs are attached, so that the kernel calls them for every wakeup of the host. */
  get isMeasuring(): boolean {
    return this.#hooks.isHooked;
  }

  /** Passes every life event of the kernel to `onEvents`, in order; those of a flood in pieces. */
  listen(onEvents: (events: KernelEvent[]) => void): void {
    const hear = (buffer: Buffer, length: number) => onEvents(eventsOf(buffer, length, this.#layout));
    for (const [ring, most] of RINGS) check(this.#object.addRing(ring, most), 'open a ring buffer');
    check(this.#object.listen(this.#layout.event.atNs, hear), 'listen to the ring buffers');
  }

  /** Measures a process from now on: `begin` and `trace`. */
  attach(process: TracedProcess): 'own' | 'overflow' {
    this.begin();
    return this.trace(process);
  }

  /**
   * Attaches the programs, if they are not attached, to every wakeup of the host; that takes a millisecond.
   * @throws TautError
   */
  begin(): void {
    this.#hooks.hold();
  }

  /**
   * Gives the process a slot, and every thread of it tracer state; threads that start later get theirs in the kernel.
   * Wakeups before `begin` are counted as `unseen`.
   * @returns whether the process has series of its own, or shares the series of all agents without a slot.
   * @throws TautError when the kernel has no room for the process.
   */
  trace(process: TracedProcess): 'own' | 'overflow' {
    const own = this.#slots.take();
    const slot = own ?? this.#overflowSlot;
    try {
      if (own !== undefined) check(this.#native.emptySeries(own), 'create the series of an agent');
      check(this.#native.addAgent(process.pid, slot), 'create the series of an agent');
      const before = own === undefined ? undefined : this.#letGo.resume(process);
      const counts = new SeriesBySetting({ shed: this.#shed }, before?.series);
      const attachedAtMs = before?.attachedAtMs ?? nowMs();
      this.#sessions.set(process.pid, {
        ...process,
        slot,
        attachedAtMs,
        counts,
        isShown: false,
        isCollected: before !== undefined,
        isDecided: false,
        variants: new Set(before?.series.flatMap(({ flag }) => (flag ? [JSON.stringify(flag)] : []))),
      });
      check(this.#visit('attach', process.pid, slot, ALL, slackOf(process)), 'attach the threads of an agent');
      if (own === undefined) this.#overflow ??= this.#newOverflow(nowMs());
      else setImmediate(() => this.#native.reserve(Math.min(own + SPARE, this.#layout.maxAgents)));
    } catch (error) {
      if (this.#sessions.has(process.pid)) this.detach(process.pid);
      else this.#give(slot);
      throw error;
    }
    return own === undefined ? 'overflow' : 'own';
  }

  /** Removes the process's tracer state; its counts are in the next collection, for the last time. */
  detach(pid: number): void {
    const session = this.#sessions.get(pid);
    if (!session) return;
    // First remove the process, so that new threads get no state; then repeat until no thread has any.
    this.#native.removeAgent(pid);
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const changed = this.#visit('detach', pid, session.slot);
      if (failed(changed) || changed === 0) break;
    }
    if (!this.#isOverflow(session)) {
      const last = this.#read(session);
      const hasRoom = session.isCollected || this.#letGo.size < this.#maxGone;
      if (last.series.length > 0 && hasRoom) this.#letGo.add(last);
      else if (last.series.length > 0) this.#addToOverflow(last);
    }
    this.#sessions.delete(pid);
    this.#give(session.slot);
  }

  /**
   * What flags have decided on a process: what is counted from now on is told apart by that, and so is what was counted before
   * the first decision, unless a collection has had it.
   */
  decided(pid: number, flag: FlagVariant | undefined): void {
    const session = this.#sessions.get(pid);
    if (!session || this.#isOverflow(session)) return;
    const { counts, isShown, isDecided, variants, slot } = session;
    session.isDecided = true;
    const name = flag && JSON.stringify(flag);
    const hasRoom = name !== undefined && (variants.has(name) || variants.size < MOST_VARIANTS);
    if (hasRoom) variants.add(name);
    const next = { shed: this.#shed, flag: hasRoom ? flag : undefined };
    if (!isDecided && !isShown) counts.rename(next);
    else if (JSON.stringify(next.flag) !== JSON.stringify(counts.setting.flag)) counts.change(this.#decode(slot), next);
  }

  /** The counts of one process; undefined when it is not attached, or has no series of its own. */
  snapshot(pid: number): AgentSnapshot | undefined {
    const session = this.#sessions.get(pid);
    return session && !this.#isOverflow(session) ? this.#read(session) : undefined;
  }

  /**
   * All attached processes, a last time each one detached since the last call, and the shared series as one.
   * @param keep those that were detached come again, until `exported`.
   */
  collect(keep = false): Snapshot[] {
    return [...this.collecting(keep)];
  }

  /** As `collect`, but each is read when it is asked for: a thousand take longer than other work should wait. */
  *collecting(keep = false): Generator<Snapshot> {
    const own = [...this.#sessions.values()].filter((session) => !this.#isOverflow(session));
    yield* this.#letGo.take(keep);
    for (const session of own) {
      const snapshot = this.#now(session);
      if (snapshot) yield snapshot;
    }
    yield* this.#overflowed();
    if (!keep) this.exported();
  }

  /** Its counts, also when it was detached, or attached again, since it was listed. */
  #now(listed: Session): Snapshot | undefined {
    const session = this.#sessions.get(listed.pid);
    if (!session || !isSame(session, listed) || this.#isOverflow(session)) return this.#letGo.find(listed);
    session.isShown = true;
    return this.#read(session);
  }

  /** What the last collection had need not be in another one. */
  exported(): void {
    this.#letGo.exported();
    for (const session of this.#sessions.values()) session.isCollected ||= session.isShown;
  }

  /** The counters by name (`native/include/taut.h`): `wakeup_seen`, `wakeup_recorded`, `discard_…`. */
  counters(): Map<string, number> {
    const values = check(this.#native.readCounters(), 'read the counters');
    return new Map(this.#layout.counters.map((name, i) => [name, (values[i] ?? 0) - (this.#counted[i] ?? 0)]));
  }

  /** The number of lost life events by kind. */
  lost(): ReadonlyMap<LostKind, number> {
    const counters = this.counters();
    const lost = (['exec', 'birth', 'end', 'rename'] as const).map(
      (kind) => [kind, counters.get(`lost_${kind}`) ?? 0] as const,
    );
    return new Map<LostKind, number>([...lost, ['unseen', this.accounting.missed(LIFE)]]);
  }

  /**
   * Has the kernel tell again of what found no room, as far as it is about threads that live. @returns of how many
   * threads it had something to tell; if not 0, there may again have been no room for all.
   */
  retell(): number {
    return check(this.#visit('retell', ALL, 0), 'tell lost events again');
  }

  /** As `visitThreads`. @param slack what `slackOf` makes of the process. */
  #visit(
    what: 'attach' | 'detach' | 'retell',
    pid: number,
    slot: number,
    tid = ALL,
    slack: ReturnType<typeof slackOf> = NONE_SET,
  ) {
    return this.#native.visitThreads(this.#layout.visit[what], pid, slot, tid, ...slack);
  }

  /**
   * Whether somebody has set the scheduler's slice of a thread, for each thread of a process. Empty when nothing is known:
   * before Linux 6.12, and without the option `slices`.
   */
  ownSlices(pid: number): ReadonlyMap<number, boolean> {
    const words = this.#native.readSlices(pid);
    const own = new Map<number, boolean>();
    if (!(words instanceof Uint32Array)) return own; // the process has ended
    for (let i = 0; i < words.length; i += 2) own.set(words[i] ?? 0, words[i + 1] === 1);
    return own;
  }

  /** Resets `counters` to 0. Call before the first agent is attached, so that the counters add up. */
  countFromHere(): void {
    this.#counted = check(this.#native.readCounters(), 'read the counters');
  }

  /**
   * Records less, or everything again. Counts until now stay apart from later ones; a wakeup in progress may be in
   * either.
   */
  shed(shed: Shed | undefined): void {
    const own = [...this.#sessions.values()].filter((session) => !this.#isOverflow(session));
    const all = [...own, ...(this.#overflow ? [{ ...this.#overflow, slot: this.#overflowSlot }] : [])];
    const changes = all.map((one) => [one.counts, this.#decode(one.slot)] as const);
    this.#shed = shed;
    this.#applySettings();
    for (const [counts, until] of changes) counts.change(until, { ...counts.setting, shed });
  }

  /** Measures one thread of taut's own process. `isCanary`: in full, whatever is shed. @throws TautError */
  attachThread(tid: number, isCanary = false): TracedThread {
    this.#hooks.hold();
    const slot = this.#slots.take();
    if (slot === undefined) throw new Error('all slots for series are taken');
    this.#threads++;
    const visit = (what: 'attach' | 'detach') => this.#visit(what, process.pid, slot, tid);
    try {
      check(this.#native.emptySeries(slot), 'create the series of a thread');
      if (check(visit('attach'), 'attach a thread') !== 1) throw new Error(`thread ${tid} is not there for the kernel`);
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
        visit('detach');
        this.#threads--;
        this.#give(slot);
      },
    };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#freeing);
    this.#hooks[Symbol.dispose]();
    this.#native.close();
    this.#object.close();
  }

  #applySettings(): void {
    const { factor = 1, detail = true } = this.#shed ?? {};
    check(this.#native.setSettings(factor - 1, detail ? 0 : 1, this.#canarySlot), 'set what is recorded');
  }

  #give(slot: number): void {
    if (slot !== this.#overflowSlot) {
      this.#slots.give(slot);
      this.#freeing ??= setTimeout(() => this.#freeBlock(), FREE_AFTER_MS).unref();
    }
    if (this.#sessions.size + this.#threads === 0) this.#hooks.release();
  }

  /** Gives one block back, and then the next: each waits for an RCU grace period. One is kept for agents to come. */
  #freeBlock(): void {
    const { blockAgents, blocks } = this.#layout;
    let isKept = false;
    let freed = false;
    for (let block = 0; block < blocks && !freed; block++) {
      const first = block * blockAgents + 1;
      const last = first + blockAgents - 1;
      if (this.#overflow && first <= this.#overflowSlot && this.#overflowSlot <= last) continue;
      if (!this.#slots.isIdle(first, last)) continue;
      if (isKept) freed = this.#native.freeBlock(block) === 1;
      isKept = true;
    }
    this.#freeing = freed ? setTimeout(() => this.#freeBlock(), 0).unref() : undefined;
  }

  #isOverflow({ slot }: Session): boolean {
    return slot === this.#overflowSlot;
  }

  /** The shared series, cumulative since the first agent that used it, also when all of these agents are gone. */
  #overflowed(): OverflowSnapshot[] {
    if (!this.#overflow) return [];
    const { attachedAtMs, counts } = this.#overflow;
    return [{ overflow: true, attachedAtMs, series: counts.split(this.#decode(this.#overflowSlot)) }];
  }

  #newOverflow(attachedAtMs: number) {
    return { attachedAtMs, counts: new SeriesBySetting({ shed: this.#shed }) };
  }

  /** For one of which no point was exported: else its counts would be there twice. */
  #addToOverflow({ attachedAtMs, series }: AgentSnapshot): void {
    check(this.#native.reserve(this.#overflowSlot), 'create the series that agents share');
    this.#overflow ??= this.#newOverflow(attachedAtMs);
    // It is many agents': it has no variant.
    this.#overflow.counts.absorb(series.map(({ flag: _, ...one }) => one));
  }

  #read(session: Session): AgentSnapshot {
    const { pid, name, createdAtMs, attachedAtMs, slot, counts } = session;
    return { pid, name, createdAtMs, attachedAtMs, series: counts.split(this.#decode(slot)) };
  }

  #decode(slot: number): Series[] {
    check(this.#native.readSeries(slot, this.#words), 'read the series of an agent');
    const series = decodeSeries(this.#words, this.#layout);
    if (this.hasTimers && this.#hasSlices) return series;
    // What was not looked at is not known: `other` would mean that it was no timer.
    const source = this.hasTimers ? {} : { source: undefined };
    const slice = this.#hasSlices ? {} : { slice: undefined };
    return series.map((s) => ({ ...s, ...source, ...slice }));
  }
}

/** No thread has its slack from taut. */
const NONE_SET: ReturnType<typeof slackOf> = [0, 0];

/** The slack that taut has set already and the original, as the tracer's programs take them. */
function slackOf({ slack }: TracedProcess): [set: number, original: number] {
  const ns = (value: bigint | undefined) => Math.min(Number(value ?? 0n), MAX_U32);
  return [ns(slack?.target), ns(slack?.original)];
}
