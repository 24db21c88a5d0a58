/** All the agents of a host (or of one process tree): finds them, holds them, lets them go. */
import type { Descendants } from './actuator/descendants.ts';
import { KNOBS } from './actuator/knobs.ts';
import type { Ledger, LedgerEntry } from './actuator/ledger.ts';
import { isGone, ProcHandle } from './actuator/procHandle.ts';
import { type Restored, restoreEntries } from './actuator/restore.ts';
import { sweep } from './actuator/sweep.ts';
import { timerSlack } from './actuator/timerSlack.ts';
import type { Agent } from './agent.ts';
import { Agents, type AgentsOptions } from './agents.ts';
import { epochMsOfMonotonic, nowMs } from './clock.ts';
import type { NetworkSighting } from './discovery/network/source.ts';
import { LifeEvents } from './lifeEvents.ts';
import { inScope } from './scope.ts';
import { Signals } from './signals.ts';
import { type AgentStatus, agentStatus } from './status.ts';
import { KernelCost } from './tracer/cost.ts';
import type { AgentSnapshot, Snapshot } from './tracer/series.ts';

export interface WatcherOptions extends AgentsOptions {
  /** Undefined: nothing is tuned. */
  readonly ledger: Ledger | undefined;
  readonly descendants: Descendants;
}

/** Between looks for drift, missed threads and lost events; and, without the kernel's events, between scans. */
const RECONCILE_MS = 5_000;
const SCAN_MS = 500;

export class Watcher implements Disposable {
  readonly #options: WatcherOptions;
  readonly #signals: Signals;
  readonly #agents: Agents;
  readonly #ends: (() => void)[] = [];
  readonly #cost: KernelCost | undefined;
  readonly #life: LifeEvents;
  #lostEvents = 0;
  #onChange: () => void = () => {};
  #endObserving: () => void = () => {};
  #released = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#signals = new Signals(options.log);
    const { ledger, descendants } = options;
    const host = { knob: timerSlack, ledger, signals: this.#signals, descendants };
    this.#agents = new Agents(options, host, () => this.#onChange());
    this.#cost = options.tracer && new KernelCost(options.tracer);
    const { scope, log } = options;
    this.#life = new LifeEvents({
      descendants,
      scope,
      log,
      agent: (pid) => this.#agents.get(pid),
      children: (rule) => options.decisions.children(rule),
      look: (pid) => this.#agents.look(pid),
      sight: (pid, atMs, parent) => this.#agents.sight(pid, atMs, parent),
      letGo: (pid, reason) => this.#agents.letGo(pid, reason),
      gone: (pid) => this.#agents.gone(pid),
    });
  }

  /** Begins: listens to the kernel, then looks at every process that runs already. Resolves after that first look. */
  async start(): Promise<void> {
    const { tracer, gate } = this.#options;
    tracer?.listen((events) => this.#life.handle(events));
    this.#ends.push(gate.onChange(() => void this.#agents.gateAll()));
    this.#endObserving = this.#signals.observe({
      agents: () => this.#agents.all(),
      tracerCounters: () => tracer?.counters() ?? new Map(),
      kernelCpuSeconds: () => this.#cost?.seconds(),
    });
    await this.scan();
    const timer = setInterval(() => void this.#reconcile(), tracer ? RECONCILE_MS : SCAN_MS).unref();
    this.#ends.push(() => clearInterval(timer));
  }

  /** After an agent has come, gone or changed. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Looks at every process in scope. */
  async scan(): Promise<void> {
    for await (const pid of this.#options.decisions.processes(this.#options.scope))
      if (!this.#agents.has(pid)) await this.#agents.sight(pid, nowMs());
  }

  /** The network saw a process ask or connect: that may make it an agent, or end that it is one. */
  async onNetwork(sighting: NetworkSighting): Promise<void> {
    const { pid, atNs } = sighting;
    const { decisions, scope } = this.#options;
    if (this.#released || pid === process.pid || !inScope(scope, pid)) return;
    try {
      using handle = new ProcHandle(pid);
      if (!decisions.note(handle, sighting)) return;
    } catch (error) {
      if (isGone(error)) return this.#signals.operation('sight', 'vanished');
      throw error;
    }
    if (!this.#agents.has(pid)) return this.#agents.sight(pid, epochMsOfMonotonic(atNs));
    if (this.#agents.look(pid)?.decision === 'deny') this.#agents.letGo(pid, 'a rule denies it now');
  }

  /** So many sightings of the network were lost: counted and said, as they can't be had again. */
  onLost(n: number): void {
    this.#signals.eventsLost(n);
  }

  /** The rules have changed: every process is held against them, agents first. */
  async decideAnew(): Promise<void> {
    for (const { identity } of this.#agents.all()) {
      const { pid } = identity;
      const verdict = this.#agents.look(pid);
      if (verdict?.decision !== 'attach' || verdict.ruleId !== identity.rule)
        this.#agents.letGo(pid, 'the rules have changed');
    }
    await this.scan();
    await this.#agents.gateAll();
  }

  agents(): AgentStatus[] {
    return this.#agents.all().map(agentStatus);
  }

  /** Whether something that the gate wanted could not be done. */
  get hasFailed(): boolean {
    return this.#signals.hasFailed;
  }

  agent(pid: number): Agent | undefined {
    return this.#agents.get(pid);
  }

  /** Puts one agent back and goes on measuring it; it is tuned again when the gate changes its word. */
  revert(pid: number, reason: string): Restored[] {
    return this.#agents.get(pid)?.revert(reason) ?? [];
  }

  /** What the kernel counted, for the metric producer. */
  snapshots(): Snapshot[] {
    return this.#options.tracer?.collect() ?? [];
  }

  snapshot(pid: number): AgentSnapshot | undefined {
    return this.#options.tracer?.snapshot(pid);
  }

  kernelCpuSeconds(): number {
    return this.#cost?.seconds() ?? Number.NaN;
  }

  /** Puts every agent back and lets it go. The counters can still be read. */
  release(reason: string): void {
    this.#released = true;
    this.#agents.end();
    this.#life.end();
    for (const end of this.#ends.splice(0)) end();
    for (const { identity } of this.#agents.all()) this.#agents.letGo(identity.pid, reason);
    // What agents that have ended meanwhile left to children that live on.
    const { ledger } = this.#options;
    if (ledger) this.#signals.attempt(() => restoreEntries(ledger, KNOBS, ledger.entries()));
  }

  [Symbol.dispose](): void {
    this.release('shutdown');
    this.#endObserving();
    this.#cost?.[Symbol.dispose]();
  }

  async #reconcile(): Promise<void> {
    const { tracer, ledger } = this.#options;
    for (const agent of this.#agents.all()) {
      const { pid, name } = agent.identity;
      try {
        if (agent.isGone()) this.#agents.gone(pid);
        else agent.reconcile((id) => this.#agents.has(id));
      } catch (error) {
        this.#options.log.error(`${name} (${pid}): ${(error as Error).message}`);
      }
    }
    if (ledger) {
      const watches = ({ pid, tid, startTicks }: LedgerEntry) =>
        this.#agents.get(pid)?.threads.get(tid)?.startTicks === startTicks;
      this.#signals.attempt(() => sweep(ledger, watches));
    }
    const lost = tracer?.counters().get('lost_event') ?? 0;
    if (tracer && lost === this.#lostEvents) return;
    if (tracer) this.#signals.eventsLost(lost - this.#lostEvents);
    this.#lostEvents = lost;
    await this.scan();
  }
}
