/**
 * The life of one agent process: attached -> gated -> tuned -> verified -> reverted, as one trace. Attaching writes
 * nothing to the process; tuning (`tuning.ts`, one per knob) writes only what the gate decides.
 */
import type { SpanContext } from '@opentelemetry/api';
import type { Inheritance } from '../actuator/converge.ts';
import type { Born } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import type { Restored } from '../actuator/restore.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import type { AgentRun } from '../discovery/decisions.ts';
import type { Verdict } from '../discovery/verdict.ts';
import type { GateDecision } from '../gate/gate.ts';
import { nowMs } from '../proc/clock.ts';
import type { ProcFiles } from '../proc/files.ts';
import { optional, type ProcHandle } from '../proc/handle.ts';
import { cgroupsOf, executableOf } from '../proc/origin.ts';
import { parseCpuSeconds } from '../proc/stat.ts';
import { effectiveUserOf } from '../proc/status.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AgentIdentity, ThreadCounts } from './identity.ts';
import type { Kin, Relative } from './kin.ts';
import type { KnobTuning } from './knobTuning.ts';
import { gateAttributes, reportEvaluation, reportGateChanged } from './reportGate.ts';
import { ToolsTuning } from './toolsTuning.ts';
import { AgentTrace, outcomesOf, type TraceTies } from './trace.ts';
import { Tuning, type TuningHost } from './tuning.ts';

/** What an agent needs of the host. */
export interface AgentHost extends TuningHost {
  readonly knobs: readonly Knob[];
  /** What descends from the agents. */
  readonly kin: Kin;
  /** Where the processes are. Default: this host. */
  readonly files?: ProcFiles;
}

export class Agent implements Disposable {
  readonly identity: AgentIdentity;
  /** One per knob, in the order of the host's `knobs`. */
  readonly tunings: readonly KnobTuning[];
  /** Those of its own threads. */
  readonly #own: readonly Tuning[];
  /** Those of its tools. */
  readonly #tools: readonly ToolsTuning[];
  /** Open since the first sighting; accesses through it never reach another process that got the same `pid`. */
  readonly #handle: ProcHandle;
  readonly #host: AgentHost;
  /** The agent that forked it, where that alone makes it an agent: it is a worker of that one. */
  readonly maker: AgentIdentity | undefined;
  /** Milliseconds since the epoch. */
  readonly sightedAtMs: number;
  readonly #trace: AgentTrace;
  #decidedAtMs = 0;
  /** Whether the first round is done: the agent is measured, the gate has decided, and tuning was carried out. */
  isAttached = false;

  /**
   * Begins the agent's trace at the time of its sighting (milliseconds since the epoch). `parent`: the agent that is
   * its parent process; it may have been tuned when it forked this one. `ties`: what its trace belongs to.
   */
  constructor(
    identity: AgentIdentity,
    handle: ProcHandle,
    host: AgentHost,
    sightedAtMs: number,
    parent: Agent | undefined,
    ties?: TraceTies,
  ) {
    this.identity = identity;
    this.#handle = handle;
    this.#host = host;
    this.sightedAtMs = sightedAtMs;
    this.maker = identity.attachPath === 'descendant' ? parent?.identity : undefined;
    const trace = new AgentTrace(identity, sightedAtMs, ties);
    this.#trace = trace;
    const tuned = { identity, handle, trace };
    const made = host.knobs.map((knob) => {
      if (knob.of === 'tools') return new ToolsTuning(knob, host, tuned, host.kin);
      const above = parent ? parent.#own.find((tuning) => tuning.knob === knob) : undefined;
      return new Tuning(knob, host, tuned, above);
    });
    this.tunings = made;
    this.#own = made.filter((tuning) => tuning instanceof Tuning);
    this.#tools = made.filter((tuning) => tuning instanceof ToolsTuning);
  }

  /** Whether any knob is tuned now. */
  get isTuned(): boolean {
    return this.tunings.some(({ target }) => target !== undefined);
  }

  /** Whether its children are agents, too, that no rule names. */
  get tunesChildren(): boolean {
    return this.#own.some(({ descendants }) => descendants === 'tune');
  }

  /** The timer slack that it has from taut before anything is decided on it; undefined when none. */
  get slackAtFirst(): Inheritance | undefined {
    return this.#own.find(({ knob }) => knob === timerSlack)?.bornWith;
  }

  /** When the gate's decisions were carried out and verified, or had nothing changed: milliseconds since the epoch. */
  get settledAtMs(): number {
    return Math.max(...this.tunings.map((tuning) => tuning.settledAtMs)) || this.#decidedAtMs;
  }

  /** Ends the `attach` span: the process is measured, and tuned if the gate decided so. */
  attached(): void {
    const tuned = this.#own.flatMap(({ threads }) => [...threads].filter(([, { outcome }]) => outcome === 'tuned'));
    const attributes = {
      [semconv.ATTR_TAUT_THREADS_TOTAL]: this.#handle.threadIds().length,
      // A thread of which several knobs are tuned is one thread.
      [semconv.ATTR_TAUT_THREADS_TUNED]: new Map(tuned).size,
    };
    this.#trace.attached(this.settledAtMs, attributes);
    this.#host.operations.count('attach', 'ok');
    this.isAttached = true;
  }

  /** Ids of the root span of its trace. */
  get trace(): SpanContext {
    return this.#trace.root.spanContext();
  }

  /** The run in which it was started, if there was one. */
  get run(): AgentRun | undefined {
    return this.#trace.run;
  }

  /** It turns out to be started in this run. */
  join(run: AgentRun): void {
    this.#trace.join(run);
  }

  /** Makes the spans of what is done from now on when the returned hold is disposed. */
  holdSpans(): Disposable {
    return this.#trace.hold();
  }

  /** Carries out the gate's decision on a knob. `askedMs`: when the gate was asked, milliseconds since the epoch. */
  decide(tuning: KnobTuning, decision: GateDecision, askedMs: number): void {
    const decidedMs = nowMs();
    this.#decidedAtMs = decidedMs;
    const { knob } = tuning;
    const before = this.isAttached ? tuning.gate : undefined;
    const isChange = before !== undefined && before.value !== decision.value;
    tuning.decide(decision);
    const past = { name: semconv.SPAN_GATE, startMs: askedMs, endMs: decidedMs };
    this.#trace.past({ ...past, attributes: gateAttributes(knob, decision) }, (span) => {
      reportEvaluation(this.identity, knob, decision, span, before);
      if (isChange) reportGateChanged(this.identity, knob, decision, span);
    });
  }

  /** Tunes threads that the kernel reported as new. */
  newThreads(threads: readonly { tid: number; maker: number }[]): void {
    for (const tuning of this.#own) tuning.newThreads(threads);
  }

  threadsExited(tids: readonly number[]): void {
    for (const tuning of this.#own) tuning.threadsExited(tids);
  }

  /** The thread `tid`, which was not the leader, has called execve: it has the leader's id and start time now. */
  execed(tid: number): void {
    for (const tuning of this.#own) tuning.execed(tid);
  }

  /** A process was made below it. @param maker the thread that made it. */
  childBorn(child: Pick<Relative, 'pid' | 'startTicks'>, maker: number): void {
    for (const tuning of this.#tools) if (tuning.target !== undefined) tuning.childBorn(child, maker);
  }

  /** A process below it runs another program. @param was the id of the thread that called execve. */
  childExeced(child: Relative, was: number): void {
    for (const tuning of this.#tools) tuning.childExeced(child, was);
  }

  /** A process below it is an agent now, and so no tool of it. */
  spare(child: Relative): void {
    for (const tuning of this.#tools) tuning.spare(child);
  }

  /** Handles a new thread of a non-agent descendant. @returns whether it was put back to the original value. */
  newDescendant(born: Born, maker: number): boolean {
    return this.#own.map((tuning) => tuning.newDescendant(born, maker)).includes(true);
  }

  /** Looks for missed threads and descendants, and for values that another program has set; it leaves these values. */
  reconcile(isAgent: (pid: number) => boolean): void {
    for (const tuning of this.tunings) tuning.reconcile(isAgent);
  }

  /** Whether it is an agent of the same rule by a later decision, or needs no rule of its own. A denial is no matter here. */
  stays({ decision, ruleId }: Verdict): boolean {
    return decision === 'attach' ? ruleId === this.identity.rule : this.identity.attachPath === 'descendant';
  }

  /** Whether it runs another executable than when it was attached; false when the kernel does not show that. */
  runsAnotherExecutable(): boolean {
    return executableOf(this.#handle) !== this.identity.origin().executable;
  }

  /** The paths of its control groups now; undefined when it has ended. */
  controlGroups(): readonly string[] | undefined {
    return optional(() => cgroupsOf(this.#handle), undefined);
  }

  /** The id of its effective user now; undefined when it has ended. */
  effectiveUser(): number | undefined {
    const user = optional(() => effectiveUserOf(this.#handle.text('status', 8_192)), undefined);
    return user === undefined ? undefined : Number(user);
  }

  /** CPU time of the process, seconds; undefined when it has ended. */
  cpuSeconds(): number | undefined {
    return optional(() => parseCpuSeconds(this.#handle.text('stat')), undefined);
  }

  /** Puts all knobs back, until `resume` or the gate's next decision on them. */
  pause(reason: string): void {
    for (const tuning of this.tunings) tuning.pause(reason);
  }

  resume(): void {
    for (const tuning of this.tunings) tuning.resume();
  }

  /** Puts back every thread that taut changed. @returns one outcome per thread. */
  revert(reason: string): Restored[] {
    return this.tunings.flatMap((tuning) => tuning.revert(reason));
  }

  /** Whether taut tracks this thread of the process; the start time excludes an earlier thread with the same id. */
  watches(tid: number, startTicks: number): boolean {
    return this.#own.some(({ threads }) => threads.get(tid)?.startTicks === startTicks);
  }

  /** The process has ended: puts its tools back, and removes its own entries from the ledger. */
  gone(): void {
    for (const tuning of this.#tools) tuning.revert('the agent has ended');
    const { ledger, obstacles, onRecord } = this.#host;
    if (ledger)
      obstacles.attempt(() => {
        const ended = ledger.entries({ pids: [this.identity.pid] });
        ledger.remove(ended);
        onRecord.ended(ended);
      });
    this[Symbol.dispose]();
  }

  /** Whether the process is gone. Asks the open handle, so another process with the same id does not count. */
  isGone(): boolean {
    return this.#handle.hasEnded();
  }

  [Symbol.dispose](): void {
    for (const tuning of this.tunings) tuning.end();
    this.#trace.end();
    this.#handle[Symbol.dispose]();
  }

  /** How many threads it has now. Each call lists them. */
  get threadCount(): number {
    return this.#handle.threadIds().length;
  }

  /**
   * Its threads by the outcome of a knob, or the threads of its tools that were looked at.
   * @param threads `threadCount`, if it is known.
   */
  counts(knob: Knob, threads?: number): ThreadCounts {
    const tuning = this.tunings.find((one) => one.knob === knob);
    const outcomes = outcomesOf(tuning?.threads ?? new Map());
    const total = knob.of === 'tools' ? outcomes.length : (threads ?? this.threadCount);
    const of = (outcome: string) => outcomes.filter((o) => o === outcome).length;
    const [tuned, drifted, exempt] = [of('tuned'), of('drifted'), of('exempt')];
    return { total, tuned, drifted, exempt, original: Math.max(0, total - tuned - drifted - exempt) };
  }
}
