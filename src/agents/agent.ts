/**
 * The life of one agent process: attached -> gated -> tuned -> verified -> reverted, as one trace. Attaching writes
 * nothing to the process; tuning (`tuning.ts`, once for each knob) writes only what the gate says.
 */
import type { Born } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import type { Restored } from '../actuator/restore.ts';
import type { GateDecision } from '../gate/gate.ts';
import { nowMs } from '../proc/clock.ts';
import type { ProcHandle } from '../proc/handle.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AgentIdentity, ThreadCounts } from './identity.ts';
import { AgentTrace, outcomesOf } from './trace.ts';
import { Tuning, type TuningHost } from './tuning.ts';

/** What an agent needs of the host. */
export interface AgentHost extends TuningHost {
  readonly knobs: readonly Knob[];
}

export class Agent implements Disposable {
  readonly identity: AgentIdentity;
  /** One for each knob, in the order in which the host names them. */
  readonly tunings: readonly Tuning[];
  /** Held from the first sighting: while it is open, `pid` can't mean anybody else through it. */
  readonly #handle: ProcHandle;
  readonly #host: AgentHost;
  readonly #trace: AgentTrace;
  /** Whether the first round (measured, gated, tuned if so) is done. */
  isAttached = false;

  /**
   * Begins the agent's trace at the time of its sighting (milliseconds since the epoch). `parent`: the agent whose child
   * it is, which may have been tuned when it was made.
   */
  constructor(
    identity: AgentIdentity,
    handle: ProcHandle,
    host: AgentHost,
    sightedAtMs: number,
    parent: Agent | undefined,
  ) {
    this.identity = identity;
    this.#handle = handle;
    this.#host = host;
    const trace = new AgentTrace(identity, host.signals, sightedAtMs);
    this.#trace = trace;
    this.tunings = host.knobs.map((knob) => {
      const inherited = parent?.tunings.find((tuning) => tuning.knob === knob)?.inheritance();
      return new Tuning(knob, host, { identity, handle, trace }, inherited);
    });
  }

  /** Whether any knob is turned. */
  get isTuned(): boolean {
    return this.tunings.some(({ target }) => target !== undefined);
  }

  /** When the gate's last decisions had been carried out and checked, milliseconds since the epoch. */
  get settledAtMs(): number {
    return Math.max(...this.tunings.map((tuning) => tuning.settledAtMs));
  }

  /** Ends the `attach` span: the process is measured, and tuned if the gate said so. */
  attached(): void {
    const { total, tuned } = this.counts();
    const attributes = { [semconv.ATTR_TAUT_THREADS_TOTAL]: total, [semconv.ATTR_TAUT_THREADS_TUNED]: tuned };
    this.#trace.attached(this.settledAtMs, attributes);
    this.#host.signals.operation('attach', 'ok');
    this.isAttached = true;
  }

  /** Takes the gate's decision on a knob, and makes the process what it says. `askedMs`: since the epoch. */
  decide(tuning: Tuning, decision: GateDecision, askedMs: number): void {
    const decidedMs = nowMs();
    tuning.decide(decision);
    const attributes = {
      [semconv.ATTR_TAUT_KNOB]: tuning.knob.id,
      [semconv.ATTR_TAUT_GATE_VALUE]: decision.value === null ? 'off' : String(decision.value),
      [semconv.ATTR_TAUT_GATE_REASON]: decision.reason,
      ...this.#host.signals.flagAttributes(decision),
    };
    this.#trace.past({ name: semconv.SPAN_GATE, startMs: askedMs, endMs: decidedMs, attributes });
  }

  /** Tunes threads that the kernel reported as new. */
  newThreads(threads: readonly { tid: number; maker: number }[]): void {
    for (const tuning of this.tunings) tuning.newThreads(threads);
  }

  threadsExited(tids: readonly number[]): void {
    for (const tuning of this.tunings) tuning.threadsExited(tids);
  }

  /** Handles a thread of a descendant that is no agent. @returns whether it was put back. */
  newDescendant(born: Born, maker: number): boolean {
    return this.tunings.map((tuning) => tuning.newDescendant(born, maker)).includes(true);
  }

  /** Looks for threads and descendants that were missed, and for values that somebody else has set: those stay. */
  reconcile(isAgent: (pid: number) => boolean): void {
    for (const tuning of this.tunings) tuning.reconcile(isAgent);
  }

  /** Puts every thread back that taut changed. @returns what became of each. */
  revert(reason: string): Restored[] {
    return this.tunings.flatMap((tuning) => tuning.revert(reason));
  }

  /** Whether one of the process's threads, and no other with its id, is looked after. */
  watches(tid: number, startTicks: number): boolean {
    return this.tunings.some(({ threads }) => threads.get(tid)?.startTicks === startTicks);
  }

  /** The process has ended: what is on record for it means nobody now. */
  gone(): void {
    const { ledger, signals, onRecord } = this.#host;
    if (ledger)
      signals.attempt(() => {
        const ended = ledger.entries({ pids: [this.identity.pid] });
        ledger.remove(ended);
        onRecord.ended(ended);
      });
    this[Symbol.dispose]();
  }

  /** Whether the process is gone: asked of the held handle, so another with its id is not mistaken for it. */
  isGone(): boolean {
    return this.#handle.hasEnded();
  }

  [Symbol.dispose](): void {
    for (const tuning of this.tunings) tuning.end();
    this.#trace.end();
    this.#handle[Symbol.dispose]();
  }

  /** Its threads by what became of a knob: of the first, which the documents are about, where none is given. */
  counts(knob?: Knob): ThreadCounts {
    const total = this.#handle.threadIds().length;
    const tuning = this.tunings.find((one) => knob === undefined || one.knob === knob);
    const outcomes = outcomesOf(tuning?.threads ?? new Map());
    const of = (outcome: string) => outcomes.filter((o) => o === outcome).length;
    const [tuned, drifted, exempt] = [of('tuned'), of('drifted'), of('exempt')];
    return { total, tuned, drifted, exempt, original: Math.max(0, total - tuned - drifted - exempt) };
  }
}
