/**
 * One knob of the tools of an agent. A tool is written when it runs its first program; what it starts later inherits the
 * value, and is recorded if it is still there at the next look. So a tool's tree is put back by what is on record, by who
 * descends from that, and by what this taut has seen being born.
 */

import { Containment } from '../actuator/containment.ts';
import { Converger, type Hears, type Inheritance, type TuneOrder } from '../actuator/converge.ts';
import type { Knob } from '../actuator/knob.ts';
import { type Restored, restoreEntries } from '../actuator/restore.ts';
import type { ThreadState } from '../actuator/thread.ts';
import type { GateDecision } from '../gate/gate.ts';
import { nowMs } from '../proc/clock.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import { threadIds } from '../proc/processes.ts';
import * as semconv from '../telemetry/semconv.ts';
import { uuid } from '../util/uuid.ts';
import type { Kin, Relative } from './kin.ts';
import type { KnobTuning } from './knobTuning.ts';
import { account } from './reportRestored.ts';
import { reportDrift, sayDrift } from './reportThread.ts';
import type { Tuned, TuningHost } from './tuning.ts';
import { TuningOutcomes } from './tuningOutcomes.ts';

/** A tool whose threads were looked at. No descriptor of it stays open: there may be thousands. */
interface Tool {
  readonly startTicks: number;
  readonly threads: ReadonlyMap<number, ThreadState>;
}

export class ToolsTuning implements KnobTuning {
  readonly knob: Knob;
  readonly #host: TuningHost;
  readonly #agent: Tuned;
  readonly #kin: Kin;
  readonly #tools = new Map<number, Tool>();
  readonly #outcomes: TuningOutcomes;
  /** Undefined while nothing is to be tuned. The process is filled in for each tool. */
  #order: Omit<TuneOrder, 'pid' | 'processStartTicks'> | undefined;
  /** While it is paused: the tools of which somebody else has set threads, with just these. */
  #leftAlone: ReadonlyMap<number, Tool> | undefined;
  settledAtMs = 0;
  /** What tools start is to have their value. */
  readonly inheritedNs = undefined;
  gate: GateDecision = { value: null, reason: 'not asked yet' };

  constructor(knob: Knob, host: TuningHost, agent: Tuned, kin: Kin) {
    this.knob = knob;
    this.#host = host;
    this.#agent = agent;
    this.#outcomes = new TuningOutcomes(knob, host, agent, () => this.#order);
    this.#kin = kin;
  }

  get target(): bigint | undefined {
    return this.#order?.target;
  }

  get threads(): ReadonlyMap<number, ThreadState> {
    return new Map([...this.#tools.values()].flatMap(({ threads }) => [...threads]));
  }

  get isPaused(): boolean {
    return this.#leftAlone !== undefined;
  }

  pause(reason: string): void {
    if (!this.#order) return;
    const before = new Map(this.#tools);
    const drifted = new Set(
      this.revert(reason)
        .filter((one) => one.outcome === 'drifted')
        .map(({ tid }) => tid),
    );
    this.#leftAlone = new Map(
      [...before].flatMap(([pid, { startTicks, threads }]) => {
        const others = [...threads].flatMap(([tid, state]) =>
          drifted.has(tid) || state.outcome === 'drifted' ? [[tid, { ...state, outcome: 'drifted' }] as const] : [],
        );
        return others.length > 0 ? [[pid, { startTicks, threads: new Map(others) }] as const] : [];
      }),
    );
  }

  resume(): void {
    for (const [pid, tool] of this.#leftAlone ?? []) this.#tools.set(pid, tool);
    const isPaused = this.isPaused;
    this.#leftAlone = undefined;
    if (isPaused && this.gate.value !== null) this.#begin(this.gate.value);
  }

  decide(decision: GateDecision): void {
    this.gate = decision;
    this.#leftAlone = undefined;
    const target = decision.value ?? undefined;
    if (this.target !== undefined && target !== this.target) this.revert(`gate: ${decision.reason}`);
    if (target !== undefined && target !== this.target) this.#begin(target);
    this.settledAtMs = nowMs();
  }

  #begin(target: bigint): void {
    const { ledger, obstacles } = this.#host;
    if (!ledger || obstacles.isLacking(this.knob)) return;
    const { name: agent, rule } = this.#agent.identity;
    this.#order = { target, agent, rule, reason: this.gate.reason, operation: uuid() };
    this.#outcomes.later(() => this.#look());
    this.#outcomes.end(); // what it was told to do is a span of its own
  }

  /** A process was made below the agent. @param maker the thread that made it. */
  childBorn(child: Pick<Relative, 'pid' | 'startTicks'>, maker: number): void {
    const born = this.#kin.born(this.#agent.identity.pid, child, maker);
    // It may have been made before its maker was written.
    if (born?.kinship === 'tool') this.#outcomes.later(() => this.#tuneUnlessInherited(born));
  }

  /** A process below the agent runs another program. @param was the id of the thread that called execve. */
  childExeced(child: Relative, was: number): void {
    const known = this.#tools.get(child.pid);
    if (known && was !== child.pid) this.#tools.set(child.pid, carriedOver(known, child, was));
    if (child.kinship === 'tool') this.#outcomes.later(() => this.#tuneUnlessInherited(child));
    else this.spare(child);
  }

  /** A process is no tool any more, or never was: it gets back what it had, with what it has started since. */
  spare({ pid }: Pick<Relative, 'pid'>): void {
    const { ledger, operations, obstacles, onRecord } = this.#host;
    const order = this.#order;
    if (!ledger || !order) return;
    this.#tools.delete(pid);
    const { files } = this.#agent.handle;
    obstacles.attempt(() => {
      const entries = ledger.entries({ pids: [pid] }).filter(({ operation }) => operation === order.operation);
      const results = restoreEntries(ledger, [this.knob], entries, { ...(files && { files }) });
      onRecord.restored(results);
      for (const { outcome } of results)
        operations.count('contain', outcome === 'restored' ? 'ok' : outcome, 1, this.knob.id);
      const contained = this.#containThreads(pid, order.target);
      if (contained > 0) operations.count('contain', 'ok', contained, this.knob.id);
    });
  }

  /** Looks for missed tools, records those that inherited the value, and reports what another program has set. */
  reconcile(): void {
    if (this.#order) this.#outcomes.later(() => this.#look());
    this.#outcomes.look();
  }

  revert(reason: string): Restored[] {
    const { ledger, log, operations, obstacles, onRecord } = this.#host;
    const { identity, handle, trace } = this.#agent;
    const order = this.#order;
    this.#leftAlone = undefined;
    if (!ledger || !order) return [];
    this.#outcomes.end();
    const drifted = new Set([...this.threads].filter(([, { outcome }]) => outcome === 'drifted').map(([tid]) => tid));
    const young = this.#kin.of(identity.pid).filter((one) => one.kinship === 'tool' && this.#isYoungHeir(one.pid));
    this.#order = undefined;
    this.#tools.clear();
    return trace.span(semconv.SPAN_REVERT, (span) => {
      span.setAttributes({ [semconv.ATTR_TAUT_KNOB]: this.knob.id, [semconv.ATTR_TAUT_REVERT_REASON]: reason });
      const entries = () => ledger.entries({ operation: order.operation });
      const restore = () => restoreEntries(ledger, [this.knob], entries(), { files: handle.files });
      const results = obstacles.attempt(restore) ?? [];
      onRecord.restored(results);
      account(operations, span, 'revert', results, ({ tid }) => drifted.has(tid));
      // Their recorded parents may have ended, so that nothing leads to them any more.
      const isAgent = (pid: number) => this.#kin.isAgent(pid);
      const contained = young.map(({ pid }) => {
        const threads = this.#containThreads(pid, order.target);
        const below = new Containment(this.knob, handle.files);
        return threads + below.tree(pid, this.#inheritance(order.target), isAgent).contained;
      });
      const sum = contained.reduce((total, n) => total + n, 0);
      if (sum > 0) operations.count('contain', 'ok', sum, this.knob.id);
      for (const { tid, outcome, was, target } of results)
        if (outcome === 'drifted' && was !== undefined && !drifted.has(tid))
          sayDrift(log, identity, this.knob, { tid, expected: target, found: was });
      return results;
    });
  }

  end(): void {
    this.#outcomes.end();
  }

  /** What comes from a tool that was written: such a tool had the ordinary value. */
  #inheritance(target: bigint): Inheritance {
    return { target, original: this.knob.ordinary ?? 0n, sinceTicks: 0 };
  }

  /** Whether a tool that was not looked at yet may have inherited its value. */
  #isYoungHeir(pid: number): boolean {
    if (this.#tools.has(pid)) return false;
    return whenThere(() => {
      using process = new ProcHandle(pid, this.#agent.handle.files);
      return this.#mayInherit(process.stat().ppid);
    }, false);
  }

  /**
   * Whether a child of a tool may have its value from one that was written. A tool that had it by itself, as what `nice make` runs
   * does, has handed on its own; so has the agent, whose children begin with what it has.
   */
  #mayInherit(parent: number): boolean {
    const maker = this.#tools.get(parent);
    if (maker) return [...maker.threads.values()].some(({ outcome }) => outcome !== 'already' && outcome !== 'exempt');
    return this.knob.read(this.#agent.handle) !== this.target;
  }

  #containThreads(pid: number, target: bigint): number {
    const { files } = this.#agent.handle;
    const inheritance = this.#inheritance(target);
    const containment = new Containment(this.knob, files);
    return threadIds(pid, files).filter((tid) => containment.born({ tid }, inheritance)).length;
  }

  #look(): void {
    const { pid } = this.#agent.identity;
    this.#kin.look(pid, { source: 'child', atMs: nowMs() });
    for (const [id, { startTicks }] of this.#tools)
      if (!this.#kin.get(id) && this.#isOver({ pid: id, startTicks })) this.#forget(id);
    for (const relative of this.#kin.of(pid)) {
      const known = this.#tools.get(relative.pid);
      if (this.#isOver(relative)) this.#forget(relative.pid);
      else if (relative.kinship === 'tool') this.#tune(relative, known);
      else if (known) this.spare(relative);
    }
  }

  #isOver({ pid, startTicks }: Pick<Relative, 'pid' | 'startTicks'>): boolean {
    return whenThere(() => {
      using process = new ProcHandle(pid, this.#agent.handle.files);
      return process.stat().startTicks !== startTicks || process.hasEnded();
    }, true);
  }

  #forget(pid: number): void {
    const threads = this.#tools.get(pid)?.threads ?? [];
    this.#kin.forget(pid);
    this.#tools.delete(pid);
    const ended = [...threads].map(([tid, { startTicks }]) => ({ tid, startTicks, knob: this.knob.id }));
    this.#host.ledger?.remove(ended);
    this.#host.onRecord.ended(ended);
  }

  #tuneUnlessInherited(tool: Relative): void {
    const { files } = this.#agent.handle;
    const has = whenThere(() => {
      using process = new ProcHandle(tool.pid, files);
      return this.knob.read(process);
    }, undefined);
    if (has !== undefined && has !== this.target) this.#tune(tool, this.#tools.get(tool.pid));
  }

  /** Tunes every thread of a tool that is not tuned, and looks at those that are. @throws LedgerError */
  #tune({ pid, startTicks, from }: Relative, known: Tool | undefined): void {
    const { ledger } = this.#host;
    const order = this.#order;
    if (!ledger || !order) return;
    whenThere(() => {
      using process = new ProcHandle(pid, this.#agent.handle.files);
      const stat = process.stat();
      if (stat.startTicks !== startTicks) return;
      const inheritance = from === 'tool' && this.#mayInherit(stat.ppid) ? this.#inheritance(order.target) : undefined;
      const its = { ...order, pid, processStartTicks: startTicks };
      const converger = new Converger(this.knob, ledger, process, its, inheritance, this.#hears(known));
      for (const [tid, state] of known?.threads ?? []) converger.threads.set(tid, state);
      converger.run();
      const present = new Set(process.threadIds());
      converger.forget([...converger.threads.keys()].filter((tid) => !present.has(tid)));
      for (const drift of known ? converger.inspect() : []) reportDrift(this.#host.log, this.#agent, this.knob, drift);
      this.#tools.set(pid, { startTicks, threads: converger.threads });
    }, undefined);
  }

  #hears(known: Tool | undefined): Hears {
    return {
      outcome: (tid, state, by) =>
        this.#outcomes.note(tid, state, by, known?.threads.get(tid)?.outcome === state.outcome),
      ended: (threads) => this.#host.onRecord.ended(threads),
    };
  }
}

/** The thread `was` of a tool has the leader's id now. */
function carriedOver({ threads }: Tool, { pid, startTicks }: Relative, was: number): Tool {
  const state = threads.get(was);
  return { startTicks, threads: new Map(state ? [[pid, { ...state, startTicks }]] : []) };
}

/** @returns `otherwise` when the process is gone. */
function whenThere<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch (error) {
    if (isGone(error)) return otherwise;
    throw error;
  }
}
