/** All the agents of a host (or of one process tree): finds them, holds them, lets them go. */
import { Agent, type AgentHost } from './agent.ts';
import type { Ledger } from './actuator/ledger.ts';
import { isGone, ProcHandle } from './actuator/procHandle.ts';
import { timerSlack } from './actuator/timerSlack.ts';
import { epochMsOfMonotonic, epochMsOfTicks } from './clock.ts';
import { Decisions, type Verdict } from './discovery/decisions.ts';
import type { Gate } from './gate/gate.ts';
import type { Log } from './log.ts';
import type { KernelEvent } from './native.ts';
import { inScope, type Scope } from './scope.ts';
import { Signals } from './signals.ts';
import { type AgentStatus, agentStatus } from './status.ts';
import { KernelCost } from './tracer/cost.ts';
import type { AgentSnapshot } from './tracer/series.ts';
import type { Tracer } from './tracer/tracer.ts';

export interface WatcherOptions {
  readonly decisions: Decisions;
  readonly gate: Gate;
  readonly scope: Scope;
  readonly log: Log;
  /** Undefined: this host can't measure; agents are found by scanning /proc again and again. */
  readonly tracer: Tracer | undefined;
  /** Undefined: nothing is tuned. */
  readonly ledger: Ledger | undefined;
}

/** Between looks for drift, missed threads and lost events; and, without the kernel's events, between scans. */
const RECONCILE_MS = 5_000;
const SCAN_MS = 500;

export class Watcher implements AsyncDisposable {
  readonly #options: WatcherOptions;
  readonly #signals: Signals;
  readonly #agents = new Map<number, Agent>();
  readonly #ends: (() => void)[] = [];
  readonly #cost: KernelCost | undefined;
  readonly #host: AgentHost;
  #lostEvents = 0;
  #onChange: () => void = () => {};

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#signals = new Signals(options.log);
    this.#host = { knob: timerSlack, ledger: options.ledger, signals: this.#signals };
    this.#cost = options.tracer && new KernelCost(options.tracer);
  }

  /** Begins: listens to the kernel, then looks at every process that runs already. Resolves after that first look. */
  async start(): Promise<void> {
    const { tracer, gate } = this.#options;
    tracer?.listen((events) => this.#onEvents(events));
    this.#ends.push(gate.onChange(() => void this.#regate()));
    this.#ends.push(
      this.#signals.observe({
        agents: () => [...this.#agents.values()].map((a) => ({ ...this.#brief(a), threads: a.counts() })),
        tracerCounters: () => tracer?.counters() ?? new Map(),
        kernelCpuSeconds: () => this.#cost?.seconds() ?? 0,
      }),
    );
    await this.scan();
    const timer = setInterval(() => void this.#reconcile(), tracer ? RECONCILE_MS : SCAN_MS).unref();
    this.#ends.push(() => clearInterval(timer));
  }

  /** Called after an agent has come, gone or changed. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Looks at every process in scope. */
  async scan(): Promise<void> {
    for await (const pid of this.#options.decisions.processes(this.#options.scope))
      if (!this.#agents.has(pid)) await this.#sight(pid, Date.now());
  }

  agents(): AgentStatus[] {
    return [...this.#agents.values()].map(agentStatus);
  }

  agent(pid: number): Agent | undefined {
    return this.#agents.get(pid);
  }

  /** What the kernel counted, for the metric producer. */
  snapshots(): AgentSnapshot[] {
    return this.#options.tracer?.collect() ?? [];
  }

  /** CPU seconds that measuring has used in the kernel. */
  kernelCpuSeconds(): number {
    return this.#cost?.seconds() ?? 0;
  }

  /** Puts every agent back and lets it go. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    for (const pid of [...this.#agents.keys()]) this.#letGo(pid, 'shutdown');
    this.#cost?.[Symbol.dispose]();
  }

  #brief(agent: Agent) {
    return { attachPath: agent.identity.attachPath, tuned: agent.target !== undefined };
  }

  #onEvents(events: KernelEvent[]): void {
    for (const event of events) {
      try {
        this.#onEvent(event);
      } catch (error) {
        this.#failed(`${event.kind} of ${event.pid}`, error);
      }
    }
  }

  #onEvent(event: KernelEvent): void {
    switch (event.kind) {
      case 'exec':
        if (inScope(this.#options.scope, event.pid)) void this.#onExec(event);
        return;
      case 'newThread':
        return this.#agents.get(event.pid)?.newThread(event.tid);
      case 'newChild':
        if (!this.#agents.has(event.pid)) this.#agents.get(event.ppid)?.newChild(event.pid, event.tid);
        return;
      case 'threadExit':
        return this.#agents.get(event.pid)?.threadExit(event.tid);
      case 'processExit':
        this.#gone(event.pid);
        this.#options.decisions.forget(event.pid);
    }
  }

  /** A process that runs another program is looked at anew; an agent that is none any more is let go. */
  async #onExec(event: KernelEvent): Promise<void> {
    const present = this.#agents.get(event.pid);
    if (!present) return this.#sight(event.pid, epochMsOfMonotonic(event.atNs));
    const verdict = this.#look(event.pid);
    if (verdict?.decision === 'attach' && verdict.ruleId === present.identity.rule) return present.reconcile();
    this.#letGo(event.pid, 'it runs another program now');
    if (verdict?.decision === 'attach') await this.#sight(event.pid, epochMsOfMonotonic(event.atNs));
  }

  #look(pid: number): Verdict | undefined {
    try {
      using handle = new ProcHandle(pid);
      return this.#options.decisions.decide(handle, this.#options.scope);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async #sight(pid: number, atMs: number): Promise<void> {
    let handle: ProcHandle | undefined;
    try {
      handle = new ProcHandle(pid);
      const verdict = this.#options.decisions.decide(handle, this.#options.scope);
      if (verdict.decision !== 'attach') return handle[Symbol.dispose]();
      await this.#attach(handle, verdict, atMs);
    } catch (error) {
      handle?.[Symbol.dispose]();
      if (!isGone(error)) this.#failed(`process ${pid}`, error);
    }
  }

  async #attach(handle: ProcHandle, verdict: Verdict, atMs: number): Promise<void> {
    const { tracer, log, gate } = this.#options;
    const { startTicks } = handle.stat();
    const { name, ruleId: rule, attachPath, executable } = verdict;
    const identity = { pid: handle.id, startTicks, name, rule, attachPath, executable };
    const agent = new Agent(identity, handle, this.#host, atMs);
    this.#agents.set(handle.id, agent);
    try {
      tracer?.attach({ pid: handle.id, name, createdAtMs: epochMsOfTicks(startTicks) });
    } catch (error) {
      // Measuring one more may be impossible (a bound is hit); what the gate says is still done.
      this.#failed(`measuring ${name} (${handle.id})`, error);
    }
    log.info(`attached to ${name} (${handle.id}) by rule ${rule}`);
    await this.#gate(agent, gate, verdict.ruleTarget);
    agent.attached();
    this.#onChange();
  }

  async #gate(agent: Agent, gate: Gate, ruleTarget: bigint | undefined): Promise<void> {
    const { pid, name, rule } = agent.identity;
    const asked = gate.decide({ pid, name, ruleId: rule, ...(ruleTarget === undefined ? {} : { ruleTarget }) });
    const decision = asked instanceof Promise ? await asked : asked;
    if (this.#agents.get(pid) !== agent) return;
    const before = agent.target;
    agent.decide(decision);
    const { tuned, total } = agent.counts();
    if (agent.target !== undefined) this.#options.log.info(`tuned ${tuned} of ${total} threads of ${name} (${pid})`);
    else if (before !== undefined) this.#options.log.info(`put ${name} (${pid}) back: ${decision.reason}`);
  }

  async #regate(): Promise<void> {
    for (const agent of [...this.#agents.values()]) {
      try {
        await this.#gate(agent, this.#options.gate, this.#options.decisions.ruleTarget(agent.identity.rule));
      } catch (error) {
        this.#failed(`the gate of ${agent.identity.name}`, error);
      }
    }
    this.#onChange();
  }

  async #reconcile(): Promise<void> {
    const { tracer } = this.#options;
    for (const [pid, agent] of [...this.#agents]) {
      try {
        if (agent.isGone()) this.#gone(pid);
        else agent.reconcile();
      } catch (error) {
        this.#failed(`${agent.identity.name} (${pid})`, error);
      }
    }
    const lost = tracer?.counters().get('lost_event') ?? 0;
    if (tracer && lost === this.#lostEvents) return;
    if (tracer) this.#signals.eventsLost(lost - this.#lostEvents);
    this.#lostEvents = lost;
    await this.scan();
  }

  #gone(pid: number): void {
    const agent = this.#agents.get(pid);
    if (!agent) return;
    this.#agents.delete(pid);
    this.#options.tracer?.detach(pid);
    agent.gone();
    this.#options.log.info(`${agent.identity.name} (${pid}) has ended`);
    this.#onChange();
  }

  /** Puts an agent that lives on back, and stops measuring it. */
  #letGo(pid: number, reason: string): void {
    const agent = this.#agents.get(pid);
    if (!agent) return;
    this.#agents.delete(pid);
    const results = agent.revert(reason);
    this.#options.tracer?.detach(pid);
    agent.close();
    const restored = results.filter((r) => r.outcome === 'restored').length;
    const { name } = agent.identity;
    this.#options.log.info(
      results.length > 0 ? `put back ${restored} threads of ${name} (${pid})` : `let ${name} (${pid}) go`,
    );
    this.#onChange();
  }

  #failed(what: string, error: unknown): void {
    this.#options.log.error(`${what}: ${(error as Error).message}`);
  }
}
