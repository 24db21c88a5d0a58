/**
 * The life of one agent process: attached -> gated -> tuned -> verified -> reverted, as one trace. Attaching writes
 * nothing to the process; tuning writes only what the gate says.
 */
import * as semconv from '../otel/semconv.ts';
import { Converger, type Drift, type Inheritance, threadIds } from './actuator/converge.ts';
import { contain, containTree, type Descendants, recordInherited } from './actuator/descendants.ts';
import type { Knob } from './actuator/knob.ts';
import type { Ledger } from './actuator/ledger.ts';
import type { ProcHandle } from './actuator/procHandle.ts';
import { type Restored, restoreEntries } from './actuator/restore.ts';
import type { ThreadState } from './actuator/thread.ts';
import { AgentTrace, fail, outcomesOf } from './agentTrace.ts';
import { nowMs } from './clock.ts';
import type { GateDecision } from './gate/gate.ts';
import type { Signals } from './signals.ts';

/** Who the process is, fixed when it was identified. */
export interface AgentIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly name: string;
  readonly rule: string;
  readonly attachPath: string;
  readonly executable: string | undefined;
}

/** What an agent needs of the host. `ledger` is undefined when it can't be used: then nothing is tuned. */
export interface AgentHost {
  readonly knob: Knob;
  readonly ledger: Ledger | undefined;
  readonly signals: Signals;
  readonly descendants: Descendants;
}

export interface ThreadCounts {
  readonly total: number;
  readonly original: number;
  readonly tuned: number;
  readonly drifted: number;
  readonly exempt: number;
}

export class Agent implements Disposable {
  readonly identity: AgentIdentity;
  /** Held from the first sighting: while it is open, `pid` can't mean anybody else through it. */
  readonly #handle: ProcHandle;
  readonly #host: AgentHost;
  /** What it got by being made by an agent that was tuned. */
  readonly #inherited: Inheritance | undefined;
  readonly #trace: AgentTrace;
  #converger: Converger | undefined;
  #target: bigint | undefined;
  /** Whether the first round (measured, gated, tuned if so) is done. */
  isAttached = false;
  /** When the gate's last decision had been carried out and checked, milliseconds since the epoch. */
  settledAtMs = 0;
  gate: GateDecision = { value: null, reason: 'not asked yet' };

  /** Begins the agent's trace at the time of its sighting (milliseconds since the epoch). */
  constructor(
    identity: AgentIdentity,
    handle: ProcHandle,
    host: AgentHost,
    sightedAtMs: number,
    inherited: Inheritance | undefined,
  ) {
    this.identity = identity;
    this.#handle = handle;
    this.#host = host;
    this.#inherited = inherited;
    this.#trace = new AgentTrace(identity, host.signals, sightedAtMs);
  }

  /** What tuning writes now, nanoseconds; undefined when the agent is as it was found. */
  get target(): bigint | undefined {
    return this.#target;
  }

  get threads(): ReadonlyMap<number, ThreadState> {
    return this.#converger?.threads ?? new Map();
  }

  /** Ends the `attach` span: the process is measured, and tuned if the gate said so. */
  attached(): void {
    const { total, tuned } = this.counts();
    const { root } = this.#trace;
    root.setAttributes({ [semconv.ATTR_TAUT_THREADS_TOTAL]: total, [semconv.ATTR_TAUT_THREADS_TUNED]: tuned });
    this.#host.signals.operation('attach', 'ok');
    this.isAttached = true;
    root.end();
  }

  /** Takes the gate's decision, and makes the process what it says. `askedMs`: since the epoch. */
  decide(decision: GateDecision, askedMs: number): void {
    const decidedMs = nowMs();
    this.gate = decision;
    const target = decision.value ?? undefined;
    if (target !== this.#target) {
      if (this.#target !== undefined) this.revert(`gate: ${decision.reason}`);
      if (target !== undefined) this.#tune(target);
    }
    this.settledAtMs = nowMs();
    this.#trace.past(semconv.SPAN_GATE, askedMs, decidedMs, {
      [semconv.ATTR_TAUT_GATE_VALUE]: decision.value === null ? 'off' : String(decision.value),
      [semconv.ATTR_TAUT_GATE_REASON]: decision.reason,
      ...this.#host.signals.flagAttributes(decision),
    });
  }

  /** Tunes threads that the kernel reported as new. */
  newThreads(threads: readonly { tid: number; maker: number }[]): void {
    this.#host.signals.attempt(() => this.#converger?.add(threads));
  }

  threadsExited(tids: readonly number[]): void {
    this.#host.signals.attempt(() => this.#converger?.forget(tids));
  }

  /** What a child process of the thread `maker` inherits; undefined when that is nothing of taut's. */
  inheritance(maker?: number): Inheritance | undefined {
    const original = this.#converger?.originalFor(maker);
    return this.#target === undefined || original === undefined ? undefined : { target: this.#target, original };
  }

  /** Handles a thread of a descendant that is no agent. @returns whether it was put back. */
  newDescendant(tid: number, maker: number): boolean {
    const { ledger, knob, signals, descendants } = this.#host;
    const inheritance = this.inheritance(maker);
    const order = this.#converger?.order;
    if (!inheritance || !ledger || !order) return false;
    if (descendants !== 'contain') {
      signals.attempt(() => recordInherited(ledger, knob, tid, order, inheritance.original));
      return false;
    }
    const contained = contain(knob, tid, inheritance);
    if (contained) signals.operation('contain', 'ok');
    return contained;
  }

  /** Looks for threads and descendants that were missed, and for values that somebody else has set: those stay. */
  reconcile(isAgent: (pid: number) => boolean): void {
    const { knob, signals, descendants } = this.#host;
    signals.attempt(() => {
      this.#converger?.run();
      this.#inspect();
    });
    const inheritance = this.inheritance();
    if (!inheritance || descendants !== 'contain') return;
    const contained = containTree(knob, this.identity.pid, inheritance, isAgent);
    if (contained > 0) signals.operation('contain', 'ok', contained);
  }

  /** Puts every thread back that taut changed. @returns what became of each. */
  revert(reason: string): Restored[] {
    const { ledger, knob, signals } = this.#host;
    const operation = this.#converger?.order.operation;
    if (!ledger || operation === undefined) return [];
    const known = new Set([...this.threads].filter(([, t]) => t.outcome === 'drifted').map(([tid]) => tid));
    this.#target = undefined;
    this.#converger = undefined;
    return this.#trace.span(semconv.SPAN_REVERT, (span) => {
      span.setAttribute(semconv.ATTR_TAUT_REVERT_REASON, reason);
      // By operation: children that inherited are on record by it, too.
      const restore = () => restoreEntries(ledger, [knob], ledger.entries({ operation }), { process: this.#handle });
      const results = this.#host.signals.attempt(restore) ?? [];
      this.#trace.account(
        span,
        'revert',
        results.map((r) => r.outcome),
      );
      for (const { tid, outcome, was, original } of results)
        if (outcome === 'drifted' && was !== undefined && !known.has(tid))
          signals.drift(this.identity, tid, original, was);
      if (results.some((r) => r.outcome === 'failed')) fail(span, 'some threads could not be put back');
      return results;
    });
  }

  /** The process has ended: what is on record for it means nobody now. */
  gone(): void {
    const { ledger } = this.#host;
    this.#host.signals.attempt(() => ledger?.remove(ledger.entries({ pids: [this.identity.pid] })));
    this[Symbol.dispose]();
  }

  /** Whether the process is gone: asked of the held handle, so another with its id is not mistaken for it. */
  isGone(): boolean {
    return this.#handle.hasEnded();
  }

  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }

  counts(): ThreadCounts {
    const total = threadIds(this.identity.pid).length;
    const outcomes = outcomesOf(this.threads);
    const of = (outcome: string) => outcomes.filter((o) => o === outcome).length;
    const [tuned, drifted, exempt] = [of('tuned'), of('drifted'), of('exempt')];
    return { total, tuned, drifted, exempt, original: Math.max(0, total - tuned - drifted - exempt) };
  }

  #tune(target: bigint): void {
    const { ledger, knob, signals } = this.#host;
    if (!ledger) return;
    this.#trace.span(semconv.SPAN_TUNE, (span) => {
      const { pid, startTicks, name, rule } = this.identity;
      const operation = span.spanContext().spanId;
      const reason = this.gate.reason;
      const order = { pid, processStartTicks: startTicks, target, agent: name, rule, reason, operation };
      const note = (tid: number, state: ThreadState) => signals.thread(this.identity, tid, state);
      this.#converger = new Converger(knob, ledger, this.#handle, order, this.#inherited, note);
      this.#target = target;
      span.setAttributes({ [semconv.ATTR_TAUT_KNOB]: knob.id, [semconv.ATTR_TAUT_TARGET]: Number(target) });
      const progress = this.#host.signals.attempt(() => this.#converger?.run());
      if (!progress) fail(span, 'the ledger could not be written');
      else {
        span.setAttribute(semconv.ATTR_TAUT_PASSES, progress.passes);
        span.setAttribute(semconv.ATTR_TAUT_COMPLETE, progress.complete);
      }
      span.setAttribute(semconv.ATTR_TAUT_THREADS_TOTAL, this.threads.size);
      this.#trace.account(span, 'tune', outcomesOf(this.threads));
    });
    this.#trace.span(semconv.SPAN_VERIFY, (span) => {
      this.#host.signals.attempt(() => this.#inspect());
      span.setAttribute(semconv.ATTR_TAUT_THREADS_TOTAL, this.threads.size);
      this.#trace.account(span, 'verify', outcomesOf(this.threads));
    });
  }

  #inspect(): void {
    const drifts: Drift[] = this.#converger?.inspect() ?? [];
    for (const { tid, expected, found } of drifts) this.#host.signals.drift(this.identity, tid, expected, found);
  }
}
