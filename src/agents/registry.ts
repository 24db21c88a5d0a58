/** The attached agents: attaches to them, asks the gate about them, and lets them go. */
import type { Knob } from '../actuator/knob.ts';
import type { AgentRun, Decisions } from '../discovery/decisions.ts';
import { inScope, isNamed, type Scope } from '../discovery/scope.ts';
import { isAsSeen, isTheSame, type Sighting, withoutCmdline } from '../discovery/sighting.ts';
import type { Verdict } from '../discovery/verdict.ts';
import type { About, Gate } from '../gate/gate.ts';
import { childrenOf, descendsFrom } from '../proc/ancestry.ts';
import { creationTimeMs, nowMs } from '../proc/clock.ts';
import { descriptorShares } from '../proc/descriptors.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, LazyHandle, type ProcHandle } from '../proc/handle.ts';
import { type Origin, originOf } from '../proc/origin.ts';
import type { ThreadStat } from '../proc/stat.ts';
import type { FlagVariant, TracedProcess } from '../tracer/series.ts';
import type { Log } from '../util/log.ts';
import { Agent, type AgentHost } from './agent.ts';
import { type AgentTelemetry, readAgentTelemetry } from './agentTelemetry.ts';
import type { AgentIdentity } from './identity.ts';
import { InheritedDecisions } from './inheritance.ts';
import { Kin } from './kin.ts';
import type { KnobTuning } from './knobTuning.ts';
import { PastTraces } from './pastTraces.ts';
import { sayAttached, sayEnded, sayGate, sayLetGo, sayShared, sayTimes } from './reportAgent.ts';
import { Room } from './room.ts';
import { type AgentEvent, agentEvent } from './status.ts';
import { variantOf } from './variant.ts';
import type { Waits } from './waits.ts';

export interface AgentsOptions {
  readonly decisions: Decisions;
  readonly gate: Gate;
  readonly scope: Scope;
  readonly log: Log;
  /** Measures the agents, as far as this host can. */
  readonly measurement: Measures;
  readonly onEvent?: (event: AgentEvent) => void;
  /** Called before an agent is measured no more. */
  readonly onLeaving?: (agent: Agent, why: 'agent_ended' | 'released') => void;
  /** Called when work for one process or agent failed. */
  readonly failed: (what: string, error: unknown) => void;
  /** What the traces of agents are linked to. Default: those of this taut. */
  readonly past?: PastTraces;
  /** The run in which every agent was started. */
  readonly run?: AgentRun;
  /** Whether traces are linked to what agents export themselves, as their environment says. */
  readonly linkAgentTelemetry?: boolean;
  /** Most agents at a time. Default: as many as files may be open for them. */
  readonly maxAgents?: number;
}

/** A knob of an agent whose value is another one now. */
interface Turned {
  readonly tuning: KnobTuning;
  readonly before: bigint | undefined;
}

/** The process, the decision on it, times (see `#attach`), and the agent from which it may have inherited values. */
type AttachArguments = readonly [
  stat: ThreadStat,
  verdict: Verdict,
  times: readonly number[],
  maker: Agent | undefined,
];

interface Measures {
  /** @returns `overflow` when all slots are taken: the process then shares one series with others. */
  attach(process: TracedProcess): 'own' | 'overflow';
  /** Measures the attached processes from now on. */
  begin(): void;
  detach(pid: number): void;
  /** What flags have decided on a process: its series are told apart by that. */
  decided(pid: number, flag: FlagVariant | undefined): void;
  /** What a process waited for until now; undefined when it has no series of its own. */
  waits(pid: number): Waits | undefined;
}

/** Why an agent is let go that left the control group for which its rule asks. */
export const LEFT = 'it is in another control group now';

export class Agents {
  readonly #options: AgentsOptions;
  readonly #host: AgentHost;
  readonly #onChange: () => void;
  readonly #byPid = new Map<number, Agent>();
  readonly #inheritance: InheritedDecisions;
  readonly #room: Room;
  readonly #past: PastTraces;
  /** How many questions the gate was asked. */
  #questions = 0;
  /** The question whose answer was carried out last. */
  readonly #answered = new WeakMap<KnobTuning, number>();
  /** What descends from the agents whose tools are tuned. */
  readonly kin: Kin;
  #ended = false;
  #hasOverflowed = false;

  constructor(options: AgentsOptions, host: Omit<AgentHost, 'kin'>, onChange: () => void) {
    this.#options = options;
    this.kin = kinOf(this, options, host.files);
    this.#host = { ...host, kin: this.kin };
    this.#onChange = onChange;
    const agentOf = (pid: number) => this.#byPid.get(pid);
    this.#inheritance = new InheritedDecisions(options.decisions, options.scope, agentOf, host.files);
    this.#past = options.past ?? new PastTraces();
    this.#room = new Room(options.maxAgents ?? descriptorShares().agents, options.log, host.operations);
  }

  /** No further process is attached to. */
  end(): void {
    this.#ended = true;
  }

  get(pid: number): Agent | undefined {
    return this.#byPid.get(pid);
  }

  has(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  get size(): number {
    return this.#byPid.size;
  }

  /** Whether agents were left alone for want of room, and there is room now. Says so once. */
  hasRoomAgain(): boolean {
    return this.#room.hasAgain(this.#byPid.size);
  }

  /** A copy of the list: the caller may let agents go while it iterates. */
  all(): Agent[] {
    return [...this.#byPid.values()];
  }

  /** Decides again on a process; undefined when it is gone. */
  decideAgain(pid: number, seen: Sighting): Verdict | undefined {
    return this.#inheritance.decideAgain(pid, seen);
  }

  /**
   * Decides on a process that shows something new about itself. An agent is let go only if a rule denies it now, or if it
   * left the control group for which its rule asks.
   */
  async reconsider(pid: number, seen: Sighting): Promise<void> {
    const agent = this.get(pid);
    if (!agent) return this.attachIfAgent(pid, seen);
    if (this.decideAgain(pid, seen)?.decision === 'deny') return this.letGo(pid, 'a rule denies it now');
    if (!this.hasLeft(agent)) return;
    this.letGo(pid, LEFT);
    await this.attachIfAgent(pid, seen);
  }

  /** Whether an agent left the control group for which its rule asks. What is an agent by its parent's is so anywhere. */
  hasLeft(agent: Agent): boolean {
    const { rule, attachPath } = agent.identity;
    const isPlace = attachPath === 'descendant' ? undefined : this.#options.decisions.placeOf(rule);
    const groups = isPlace && agent.controlGroups();
    return isPlace !== undefined && groups !== undefined && !isPlace(groups);
  }

  /**
   * Decides on a process, and attaches to it if it is an agent. `parent`: the agent that forked it, if being its child
   * is enough to be an agent.
   * @returns resolves when that is done; undefined when it is no agent: this runs at every exec on the host, and a promise
   * costs a part of it.
   */
  attachIfAgent(pid: number, seen: Sighting, parent?: Agent): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const times = [seen.atMs, nowMs()];
    const process = new LazyHandle(pid, this.#host.files);
    try {
      const verdict = this.#inheritance.decide(process, seen, parent);
      if (verdict.decision === 'deny' && seen.source === 'scan' && isNamed(this.#options.scope, pid))
        this.#options.log.warn(
          `not watching ${pid}: rule ${verdict.ruleId} denies it, and a denial counts for processes that are named, too`,
        );
      if (verdict.decision !== 'attach' || !this.#room.fits(this.#byPid.size, verdict.name, pid)) return undefined;
      const stat = process.get().stat();
      // Another process has its id now; the kernel reports that one, too.
      if (!isTheSame(stat, seen)) this.#host.operations.count('sight', 'vanished');
      else if (!isAsSeen(process.get(), seen)) return this.attachIfAgent(pid, withoutCmdline(seen), parent);
      else {
        times.push(nowMs());
        // It may have another parent by now: the agent that made it has ended.
        const maker = parent ?? this.#maker(stat.ppid);
        return this.#attachTo(process.take(), stat, verdict, times, maker);
      }
    } catch (error) {
      this.#notAttached(pid, error);
    } finally {
      process[Symbol.dispose]();
    }
    return undefined;
  }

  async #attachTo(handle: ProcHandle, ...about: AttachArguments): Promise<void> {
    try {
      await this.#attach(handle, ...about);
    } catch (error) {
      if (!this.#byPid.has(handle.id)) handle[Symbol.dispose]();
      this.#notAttached(handle.id, error);
    }
  }

  #notAttached(pid: number, error: unknown): void {
    if (isGone(error)) this.#host.operations.count('sight', 'vanished');
    else this.#options.failed(`process ${pid}`, error);
  }

  /** @param times of the sighting, of taut hearing of it, and of the decision; milliseconds since the epoch. */
  async #attach(handle: ProcHandle, ...[stat, verdict, times, maker]: AttachArguments): Promise<void> {
    const { measurement, log } = this.#options;
    const { startTicks } = stat;
    const { name, ruleId: rule, attachPath } = verdict;
    const begun = this.#host.knobs.flatMap((knob) => this.#host.begun?.(handle.id, knob)?.startMs ?? []);
    const [atMs = nowMs()] = [...begun, ...times];
    let origin: Origin | undefined;
    const readOrigin = () => {
      origin ??= originOf(handle);
      return origin;
    };
    const identity = { pid: handle.id, startTicks, name, rule, attachPath, origin: readOrigin };
    const ties = { before: this.#past.of(identity), run: this.#runOf(handle.id, maker), own: this.#ownOf(handle) };
    const agent = new Agent(identity, handle, this.#host, atMs, maker, ties);
    this.#byPid.set(handle.id, agent);
    this.#spare(handle.id);
    try {
      const createdAtMs = creationTimeMs(startTicks);
      const series = measurement.attach({ pid: handle.id, name, createdAtMs, slack: agent.slackAtFirst });
      if (series === 'overflow') this.#overflowed(agent);
    } catch (error) {
      // Measuring one more process may be impossible (a limit is reached); the gate's decision still applies.
      this.#options.failed(`measuring ${name} (${handle.id})`, error);
    }
    const placedMs = nowMs();
    const gated = this.#gate(agent);
    // The first `begin` takes longer than all else: a synchronous gate has tuned the agent by now, and an asynchronous
    // gate decides meanwhile.
    this.#begin(agent);
    await gated;
    // It has ended, or was let go, while the gate decided.
    if (!this.#isPresent(agent)) return this.#host.operations.count('sight', 'vanished');
    // Logged when all is done: a terminal is slower than the kernel.
    sayAttached(log, identity);
    for (const tuning of agent.tunings) sayGate(log, identity, tuning, undefined);
    agent.attached();
    this.#past.keep(identity, agent.trace);
    sayTimes(log, identity, [...times, placedMs, agent.settledAtMs]);
    this.#changed('attach', agent, this.#waits(agent));
    await this.#joinLauncher(agent, stat.ppid);
    if (this.#options.decisions.children(rule) === 'all')
      for (const child of childrenOf(handle.id, handle.files))
        if (!this.has(child)) await this.attachIfAgent(child, { source: 'child', atMs: nowMs() }, agent);
  }

  /** Lets what only started this agent go: both are one agent, and this one does the work. */
  async #joinLauncher(agent: Agent, ppid: number): Promise<void> {
    const launcher = this.#inheritance.launcherOf(agent, ppid)?.identity;
    if (!launcher) return;
    this.letGo(launcher.pid, `it is a part of ${agent.identity.name} (${agent.identity.pid}), which it started`);
    await this.attachIfAgent(launcher.pid, { source: 'scan', atMs: nowMs() }); // keeps the reason for `explain`
  }

  /** The agent from which a process with this parent may have inherited values or its run, directly or through non-agents. */
  #maker(ppid: number): Agent | undefined {
    const isAnyPassedOn = () => this.all().some(({ isTuned, run }) => isTuned || (run && !this.#options.run));
    return this.#byPid.get(ppid) ?? (isAnyPassedOn() ? this.#inheritance.agentAbove(ppid) : undefined);
  }

  /** The run in which an agent was started: that of taut, its own, or that of the agent that made it. */
  #runOf(pid: number, maker: Agent | undefined): AgentRun | undefined {
    return this.#options.run ?? this.#options.decisions.runOf(pid) ?? maker?.run;
  }

  /** Undefined where nobody asked for it: then nothing is read. */
  #ownOf(handle: ProcHandle): (() => AgentTelemetry) | undefined {
    const { linkAgentTelemetry, log } = this.#options;
    return linkAgentTelemetry ? () => readAgentTelemetry(handle, log.debug) : undefined;
  }

  /** An agent that was found already was started in a run, and so was what descends from it. */
  joinRun(pid: number): void {
    const run = this.#options.decisions.runOf(pid);
    if (!run) return;
    for (const agent of this.all())
      if (!agent.run && descendsFrom(agent.identity.pid, pid)) {
        agent.join(run);
        this.#past.keep(agent.identity, agent.trace);
      }
  }

  /** A new agent may have been a tool of another one. */
  #spare(pid: number): void {
    const relative = this.kin.get(pid);
    if (!relative) return;
    this.kin.forget(pid);
    this.get(relative.agent)?.spare(relative);
  }

  #begin({ identity: { name, pid } }: Agent): void {
    try {
      this.#options.measurement.begin();
    } catch (error) {
      this.#options.failed(`measuring ${name} (${pid})`, error);
    }
  }

  /** Whether it is still attached, and no later process with its id took its place. */
  #isPresent(agent: Agent): boolean {
    return this.#byPid.get(agent.identity.pid) === agent;
  }

  /**
   * Asks the gate about every knob, and carries out its decisions. A decision that comes late, after a newer one was carried out,
   * is dropped. @returns what is another value now.
   */
  async #gate(agent: Agent): Promise<Turned[]> {
    const { pid, name, rule: ruleId, startTicks } = agent.identity;
    const { gate, decisions } = this.#options;
    const about = () => aboutOf(agent.identity);
    using _spans = agent.holdSpans();
    const turned: Turned[] = [];
    for (const tuning of agent.tunings) {
      const { knob } = tuning;
      const askedMs = nowMs();
      const question = ++this.#questions;
      const last = agent.isAttached ? tuning.gate : undefined;
      const ruleTarget = decisions.ruleTarget(ruleId, knob.option);
      const asked = decisions.asked(pid, ruleId, knob.id);
      const said = gate.decide({
        ...{ knob, pid, name, ruleId, startTicks, about },
        ...(ruleTarget === undefined ? {} : { ruleTarget }),
        ...(asked === undefined ? {} : { asked }),
        ...(last && { last }),
      });
      const decision = said instanceof Promise ? await said : said;
      if (!this.#isPresent(agent)) return [];
      if ((this.#answered.get(tuning) ?? 0) > question) continue;
      this.#answered.set(tuning, question);
      if (decision === last) continue;
      const before = tuning.target;
      agent.decide(tuning, decision, askedMs);
      if (decision.isDamped && !last?.isDamped) this.#host.operations.count('gate', 'damped', 1, knob.id);
      if (tuning.target !== before) turned.push({ tuning, before });
    }
    this.#options.measurement.decided(pid, variantOf(agent.tunings.map((tuning) => tuning.gate)));
    return turned;
  }

  /** Asks the gate again about every agent, as its decisions may have changed: about all at once, as an answer may take long. */
  async gateAll(): Promise<void> {
    await Promise.all(this.all().map((agent) => this.#gateAgain(agent)));
  }

  async #gateAgain(agent: Agent): Promise<void> {
    try {
      for (const { tuning, before } of await this.#gate(agent)) {
        if (!this.#isPresent(agent)) return;
        sayGate(this.#options.log, agent.identity, tuning, before);
        this.#changed(tuning.target === undefined ? 'revert' : 'tune', agent, this.#waits(agent), tuning.knob);
      }
    } catch (error) {
      this.#options.failed(`deciding whether to tune ${agent.identity.name} (${agent.identity.pid})`, error);
    }
  }

  gone(pid: number): void {
    const agent = this.#byPid.get(pid);
    if (!agent) return;
    this.#byPid.delete(pid);
    this.#options.decisions.forget(pid);
    const waits = this.#waits(agent);
    this.#options.onLeaving?.(agent, 'agent_ended');
    this.#options.measurement.detach(pid);
    sayEnded(this.#options.log, agent.identity);
    this.#changed('end', agent, waits);
    agent.gone();
    this.#past.forget(agent.identity);
  }

  /** Puts back an agent that is still running, and stops measuring it. */
  letGo(pid: number, reason: string): void {
    const agent = this.#byPid.get(pid);
    if (!agent) return;
    this.#byPid.delete(pid);
    const results = agent.revert(reason);
    const waits = this.#waits(agent);
    this.#options.onLeaving?.(agent, 'released');
    this.#options.measurement.detach(pid);
    sayLetGo(this.#options.log, agent.identity, reason, results, this.#options.failed);
    this.#changed('release', agent, waits);
    agent[Symbol.dispose]();
  }

  /** Read only for who hears of it: an agent's histograms are 62 KiB. Before it is detached, which gives them away. */
  #waits({ identity: { pid } }: Agent): Waits | undefined {
    return this.#options.onEvent && this.#options.measurement.waits(pid);
  }

  #changed(event: AgentEvent['event'], agent: Agent, waits: Waits | undefined, knob?: Knob): void {
    // One that went before it was attached was never told of.
    if (agent.isAttached) this.#options.onEvent?.(agentEvent(event, agent, waits, knob));
    this.#onChange();
  }

  /** There are more agents than slots: counts each of them, logs the first. */
  #overflowed(agent: Agent): void {
    this.#host.operations.count('measure', 'overflow');
    if (!this.#hasOverflowed) sayShared(this.#options.log, agent.identity);
    this.#hasOverflowed = true;
  }
}

function aboutOf({ origin, startTicks }: AgentIdentity): About {
  return { ...origin(), startTicks, created: new Date(creationTimeMs(startTicks)).toISOString() };
}

function kinOf(agents: Agents, { decisions, scope }: AgentsOptions, files: ProcFiles | undefined): Kin {
  const isNamed = (process: LazyHandle, seen: Sighting) => {
    // What is in scope has been decided on at its exec.
    if (seen.source === 'exec' && inScope(scope, process.id)) return decisions.isNamed(process.id);
    return decisions.decide(process, scope, seen).decision !== 'ignore';
  };
  return new Kin({ isAgent: (pid) => agents.has(pid), isNamed }, files);
}
