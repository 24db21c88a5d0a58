/**
 * One knob of one agent: the gate's last decision, which threads were written, and putting them back. Writes only what
 * the gate decides, and only with a ledger.
 */
import type { Span } from '@opentelemetry/api';
import { Containment } from '../actuator/containment.ts';
import { Converger, type Drift, type Hears, type Inheritance, type OwnSlices } from '../actuator/converge.ts';
import { type Born, type Descendants, recordInherited } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import type { Ledger, ThreadIdentity } from '../actuator/ledger.ts';
import { type Restored, restoreEntries } from '../actuator/restore.ts';
import type { ThreadState } from '../actuator/thread.ts';
import type { GateDecision } from '../gate/gate.ts';
import { nowMs, nowTicks } from '../proc/clock.ts';
import type { ProcHandle } from '../proc/handle.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Log } from '../util/log.ts';
import { uuid } from '../util/uuid.ts';
import type { AgentIdentity } from './identity.ts';
import type { KnobTuning } from './knobTuning.ts';
import type { Obstacles } from './obstacles.ts';
import type { Operations } from './operations.ts';
import type { RecordedThreads } from './recordedThreads.ts';
import { account } from './reportRestored.ts';
import { reportDrift, sayDrift } from './reportThread.ts';
import { failBy, threadsBy } from './threadOutcomes.ts';
import { type AgentTrace, fail, failWith } from './trace.ts';
import { TuningOutcomes } from './tuningOutcomes.ts';

/** What tuning needs of the host. Without a ledger nothing is tuned. */
export interface TuningHost {
  readonly ledger: Ledger | undefined;
  readonly log: Log;
  readonly operations: Operations;
  readonly obstacles: Obstacles;
  readonly descendants: Descendants;
  readonly onRecord: RecordedThreads;
  /** Undefined: that is not known. */
  readonly ownSlices?: OwnSlices;
  /** Returns the tuning that began before the agent was attached, if any. */
  readonly begun?: (pid: number, knob: Knob) => BegunTuning | undefined;
}

/** The tuning of a `taut run` command: it begins before the first instruction, and taut attaches while it runs. */
export interface BegunTuning {
  readonly converger: Converger;
  readonly containment: Containment;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
}

/** The agent's process, with the handle that is open since its first sighting. */
export interface Tuned {
  readonly identity: AgentIdentity;
  readonly handle: ProcHandle;
  readonly trace: AgentTrace;
}

export class Tuning implements KnobTuning {
  readonly knob: Knob;
  readonly #host: TuningHost;
  readonly #agent: Tuned;
  /** Of the agent that is its parent process, if any. */
  #parent: Tuning | undefined;
  /** What the agent inherited from a tuned parent. */
  readonly #inherited: Inheritance | undefined;
  #converger: Converger | undefined;
  readonly #containment: Containment;
  readonly #outcomes: TuningOutcomes;
  #target: bigint | undefined;
  /** While it is paused: the threads that somebody else has set. */
  #leftAlone: ReadonlyMap<number, ThreadState> | undefined;
  /** Not reported yet. */
  #begun: BegunTuning | undefined;
  /** How much of `inheritedNs` was counted. */
  #countedNs = 0n;
  /** When threads were last written and read back, or put back: milliseconds since the epoch. 0: never. */
  settledAtMs = 0;
  gate: GateDecision = { value: null, reason: 'not asked yet' };

  constructor(knob: Knob, host: TuningHost, agent: Tuned, parent: Tuning | undefined) {
    this.knob = knob;
    this.#parent = parent;
    this.#inherited = parent?.inheritance();
    this.#host = host;
    this.#agent = agent;
    this.#outcomes = new TuningOutcomes(knob, host, agent, () => this.#converger?.order);
    this.#begun = host.begun?.(agent.identity.pid, knob);
    this.#converger = this.#begun?.converger;
    this.#target = this.#begun?.converger.order.target;
    this.#containment = this.#begun?.containment ?? new Containment(knob, agent.handle.files);
  }

  /** The value that is written now, in the knob's unit; undefined when the agent has its original values. */
  get target(): bigint | undefined {
    return this.#target;
  }

  /** What children get that no rule names: a flag may say it, for its agents. */
  get descendants(): Descendants {
    return this.gate.descendants ?? this.#host.descendants;
  }

  get threads(): ReadonlyMap<number, ThreadState> {
    return this.#converger?.threads ?? new Map();
  }

  /** What the agent has from taut before anything is decided on it; undefined when nothing. */
  get bornWith(): Inheritance | undefined {
    return this.#begun?.converger.inheritance() ?? this.#inherited;
  }

  get inheritedNs(): bigint | undefined {
    return this.#containment.ranNs;
  }

  get isPaused(): boolean {
    return this.#leftAlone !== undefined;
  }

  pause(reason: string): void {
    if (this.#target === undefined) return;
    const before = new Map(this.threads);
    const drifted = new Set(
      this.revert(reason)
        .filter((one) => one.outcome === 'drifted')
        .map(({ tid }) => tid),
    );
    this.#leftAlone = new Map(
      [...before].flatMap(([tid, state]) =>
        drifted.has(tid) || state.outcome === 'drifted' ? [[tid, { ...state, outcome: 'drifted' }]] : [],
      ),
    );
  }

  resume(): void {
    if (this.#leftAlone && this.gate.value !== null) this.#tune(this.gate.value, this.#leftAlone);
    this.#leftAlone = undefined;
  }

  /** Carries out the gate's decision. */
  decide(decision: GateDecision): void {
    this.gate = decision;
    this.#leftAlone = undefined;
    const target = decision.value ?? undefined;
    if (this.#target !== undefined && target !== this.#target) {
      this.revert(`gate: ${decision.reason}`);
      this.settledAtMs = nowMs();
    }
    const begun = this.#target === undefined ? undefined : this.#begun;
    this.#begun = undefined;
    if (begun) this.#converge(begun.converger, begun.startMs);
    else if (target !== undefined && target !== this.#target) this.#tune(target);
  }

  /** Tunes threads that the kernel reported as new. */
  newThreads(threads: readonly { tid: number; maker: number }[]): void {
    this.#outcomes.later(() => this.#converger?.add(threads));
  }

  threadsExited(tids: readonly number[]): void {
    this.#host.obstacles.attempt(() => this.#converger?.exited(tids));
  }

  /** See `Converger.execed`. */
  execed(tid: number): void {
    this.#converger?.execed(tid);
  }

  /** What a child process of the thread `maker` inherits of taut's values; undefined when nothing. */
  inheritance(maker?: number): Inheritance | undefined {
    return this.#converger?.inheritance(maker);
  }

  /** Handles a new thread of a descendant that is no agent. @returns whether it was put back to the original value. */
  newDescendant(born: Born, maker: number): boolean {
    const { ledger, operations, onRecord } = this.#host;
    const { files } = this.#agent.handle;
    const inheritance = this.inheritance(maker);
    const order = this.#converger?.order;
    if (!inheritance || !ledger || !order) return false;
    if (this.descendants === 'inherit') {
      this.#outcomes.later(() => {
        const recorded = recordInherited(ledger, this.knob, born, order, inheritance, files);
        if (recorded && onRecord.add({ ...recorded, knob: this.knob.id })) this.#outcomes.count('tuned');
      });
      return false;
    }
    const contained = this.#containment.born(born, inheritance);
    if (contained) operations.count('contain', 'ok', 1, this.knob.id);
    this.#countInherited();
    return contained;
  }

  /** Looks for missed threads and descendants, and for values that another program has set; it leaves these values. */
  reconcile(isAgent: (pid: number) => boolean): void {
    const { operations, obstacles } = this.#host;
    const startTicks = nowTicks(this.#agent.handle.files); // before the look at the threads, as more may be born meanwhile
    this.#outcomes.later(() => {
      this.#converger?.run();
      this.#inspect();
    });
    this.#outcomes.look();
    const inheritance = this.inheritance();
    if (!inheritance || this.descendants !== 'contain') return;
    const { contained, settledBefore, hasNew } = this.#containment.tree(this.#agent.identity.pid, inheritance, isAgent);
    if (hasNew) obstacles.attempt(() => this.#converger?.settled(Math.min(startTicks, settledBefore)));
    if (contained > 0) operations.count('contain', 'ok', contained, this.knob.id);
    this.#countInherited();
  }

  #countInherited(): void {
    const ns = this.inheritedNs ?? 0n;
    if (ns > this.#countedNs)
      this.#host.operations.inherited(this.#agent.identity.name, this.knob.id, ns - this.#countedNs);
    this.#countedNs = ns;
  }

  /** Puts back every thread that taut changed. @returns one outcome per thread. */
  revert(reason: string): Restored[] {
    const { ledger, log, operations, obstacles, onRecord } = this.#host;
    const { identity, handle, trace } = this.#agent;
    const operation = this.#converger?.order.operation;
    this.#leftAlone = undefined;
    if (!ledger || operation === undefined) return [];
    this.#outcomes.end();
    const known = new Set([...this.threads].filter(([, t]) => t.outcome === 'drifted').map(([tid]) => tid));
    this.#target = undefined;
    this.#converger = undefined;
    return trace.span(semconv.SPAN_REVERT, (span) => {
      span.setAttributes({ [semconv.ATTR_TAUT_KNOB]: this.knob.id, [semconv.ATTR_TAUT_REVERT_REASON]: reason });
      const isSettled = (thread: ThreadIdentity) => this.#containment.isSettled(thread);
      const onUnremoved = (error: Error) =>
        void obstacles.attempt(() => {
          throw error;
        });
      // Selected by operation, which also covers children that inherited the value.
      const restore = () =>
        restoreEntries(ledger, [this.knob], ledger.entries({ operation }), { process: handle, isSettled, onUnremoved });
      const results = obstacles.attempt(restore) ?? [];
      if (this.#parent) this.#parent.#containment.takeOver(this.#containment, results);
      onRecord.restored(results);
      account(operations, span, 'revert', results, ({ tid }) => known.has(tid));
      for (const { tid, outcome, was, target } of results)
        if (outcome === 'drifted' && was !== undefined && !known.has(tid))
          sayDrift(log, identity, this.knob, { tid, expected: target, found: was });
      return results;
    });
  }

  /** Ends tuning: reports what was not reported yet. */
  end(): void {
    this.#outcomes.end();
    this.#countInherited();
    this.#parent = undefined; // it may be gone for long, and have a parent itself
  }

  /** @param leftAlone threads that are not written. */
  #tune(target: bigint, leftAlone: ReadonlyMap<number, ThreadState> = new Map()): void {
    const { ledger, obstacles, ownSlices } = this.#host;
    const { identity, handle } = this.#agent;
    if (!ledger || obstacles.isLacking(this.knob)) return;
    const { pid, startTicks: processStartTicks, name: agent, rule } = identity;
    const { reason } = this.gate;
    const order = { pid, processStartTicks, target, agent, rule, reason, operation: uuid() };
    const converger = new Converger(this.knob, ledger, handle, order, this.#inherited, undefined, ownSlices);
    for (const [tid, state] of leftAlone) converger.threads.set(tid, state);
    this.#converge(converger, nowMs());
  }

  #converge(converger: Converger, startMs: number): void {
    const { obstacles, onRecord } = this.#host;
    const { identity, trace } = this.#agent;
    const { target } = converger.order;
    const tell = (endMs: number, more: (span: Span) => void) =>
      trace.past(
        { name: semconv.SPAN_TUNE, startMs, endMs, attributes: this.#outcomes.attributes(converger.order) },
        more,
      );
    const hears: Hears = {
      outcome: (tid, state, by) => this.#outcomes.note(tid, state, by),
      ended: (threads) => onRecord.ended(threads),
    };
    this.#converger = converger;
    this.#target = target;
    try {
      const progress = obstacles.attempt(() => {
        converger.continueAs({ agent: identity.name, rule: identity.rule, reason: this.gate.reason }, hears);
        return converger.run();
      });
      this.settledAtMs = nowMs();
      const writtenMs = converger.writtenAtMs || this.settledAtMs;
      const outcomes = this.#outcomes.take();
      // Report only now: making spans must not delay the writes.
      tell(writtenMs, (span) => {
        if (progress)
          span.setAttributes({
            [semconv.ATTR_TAUT_PASSES]: progress.passes,
            [semconv.ATTR_TAUT_COMPLETE]: progress.complete,
          });
        else fail(span, 'ledger', 'the ledger could not be written');
        span.setAttributes(threadsBy(outcomes));
        failBy(span, outcomes);
      });
      // What was begun before the agent was attached to was read back then, too.
      const verify = {
        name: semconv.SPAN_VERIFY,
        startMs: writtenMs,
        endMs: converger.readBackAtMs || this.settledAtMs,
      };
      const attributes = { [semconv.ATTR_TAUT_KNOB]: this.knob.id, ...threadsBy(outcomes) };
      trace.past({ ...verify, attributes }, (span) => failBy(span, outcomes));
    } catch (error) {
      const outcomes = this.#outcomes.take();
      tell(nowMs(), (span) => failWith(span.setAttributes(threadsBy(outcomes)), error));
      throw error;
    }
  }

  #inspect(): void {
    const drifts: Drift[] = this.#converger?.inspect() ?? [];
    for (const drift of drifts) reportDrift(this.#host.log, this.#agent, this.knob, drift);
  }
}
