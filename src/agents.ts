/** The agents that are attached: how one comes to be, what the gate makes of it, and how it goes. */
import { childrenOf } from './actuator/descendants.ts';
import { isGone, ProcHandle } from './actuator/procHandle.ts';
import { Agent, type AgentHost } from './agent.ts';
import { epochMsOfTicks, nowMs } from './clock.ts';
import { type Decisions, descendantOf, type Verdict } from './discovery/decisions.ts';
import type { Gate } from './gate/gate.ts';
import type { Log } from './log.ts';
import type { Scope } from './scope.ts';
import type { Tracer } from './tracer/tracer.ts';

export interface AgentsOptions {
  readonly decisions: Decisions;
  readonly gate: Gate;
  readonly scope: Scope;
  readonly log: Log;
  /** Undefined: this host can't measure; agents are found by scanning /proc again and again. */
  readonly tracer: Tracer | undefined;
}

export class Agents {
  readonly #options: AgentsOptions;
  readonly #host: AgentHost;
  readonly #onChange: () => void;
  readonly #byPid = new Map<number, Agent>();
  #ended = false;
  #hasOverflowed = false;

  constructor(options: AgentsOptions, host: AgentHost, onChange: () => void) {
    this.#options = options;
    this.#host = host;
    this.#onChange = onChange;
  }

  /** No other comes. */
  end(): void {
    this.#ended = true;
  }

  get(pid: number): Agent | undefined {
    return this.#byPid.get(pid);
  }

  has(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  /** As they are now: the caller may let some go meanwhile. */
  all(): Agent[] {
    return [...this.#byPid.values()];
  }

  /** Decides anew on a process; undefined when it is gone. */
  look(pid: number): Verdict | undefined {
    try {
      using handle = new ProcHandle(pid);
      return this.#options.decisions.decide(handle, this.#options.scope);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /**
   * Decides on a process, and attaches to it if it is an agent. `parent`: the agent that made it, where that alone makes
   * it one. Times: milliseconds since the epoch.
   */
  async sight(pid: number, atMs: number, parent?: Agent): Promise<void> {
    if (this.#ended) return;
    const times = [atMs, nowMs()];
    let handle: ProcHandle | undefined;
    try {
      handle = new ProcHandle(pid);
      const decided = this.#options.decisions.decide(handle, this.#options.scope);
      const verdict = this.#asChild(handle.stat().ppid, parent, decided);
      if (verdict.decision !== 'attach') return handle[Symbol.dispose]();
      times.push(nowMs());
      await this.#attach(handle, verdict, times);
    } catch (error) {
      if (!this.#byPid.has(pid)) handle?.[Symbol.dispose]();
      if (isGone(error)) this.#host.signals.operation('sight', 'vanished');
      else this.#failed(`process ${pid}`, error);
    }
  }

  /** What its parent's rule makes of a decision on a child. */
  #asChild(ppid: number, maker: Agent | undefined, decided: Verdict): Verdict {
    const parent = maker ?? this.#byPid.get(ppid);
    if (!parent || decided.decision === 'deny' || decided.ruleId === 'pid') return decided;
    const children = this.#options.decisions.children(parent.identity.rule);
    if (children === 'none') return { ...decided, decision: 'ignore', ruleId: '' };
    const isHeir = decided.decision === 'ignore' && (children === 'all' || maker !== undefined);
    return isHeir ? descendantOf(parent.identity, decided) : decided;
  }

  /** @param times of the sighting, of hearing of it, of the decision. */
  async #attach(handle: ProcHandle, verdict: Verdict, times: readonly number[]): Promise<void> {
    const { tracer, log } = this.#options;
    const { startTicks, ppid } = handle.stat();
    const { name, ruleId: rule, attachPath, executable } = verdict;
    const [atMs = nowMs()] = times;
    const identity = { pid: handle.id, startTicks, name, rule, attachPath, executable };
    const agent = new Agent(identity, handle, this.#host, atMs, this.#byPid.get(ppid)?.inheritance());
    this.#byPid.set(handle.id, agent);
    try {
      const series = tracer?.attach({ pid: handle.id, name, createdAtMs: epochMsOfTicks(startTicks) });
      if (series === 'overflow') this.#overflowed(agent);
    } catch (error) {
      // Measuring one more may be impossible (a bound is hit); what the gate says is still done.
      this.#failed(`measuring ${name} (${handle.id})`, error);
    }
    const measuredMs = nowMs();
    await this.#gate(agent, verdict.ruleTarget);
    // Said when all is done: a terminal is slower than a kernel.
    log.info(`attached to ${name} (${handle.id}) by rule ${rule}`);
    this.#sayGate(agent, undefined);
    agent.attached();
    log.debug(`${name} (${handle.id}): ${describeTimes([...times, measuredMs, agent.settledAtMs])}`);
    this.#onChange();
    if (this.#options.decisions.children(rule) === 'all')
      for (const child of childrenOf(handle.id)) if (!this.has(child)) await this.sight(child, atMs, agent);
  }

  async #gate(agent: Agent, ruleTarget: bigint | 'off' | undefined): Promise<void> {
    const { pid, name, rule } = agent.identity;
    const askedMs = nowMs();
    const asked = this.#options.gate.decide({
      pid,
      name,
      ruleId: rule,
      ...(ruleTarget === undefined ? {} : { ruleTarget }),
    });
    const decision = asked instanceof Promise ? await asked : asked;
    if (this.#byPid.get(pid) !== agent) return;
    const changed = agent.gate.value !== decision.value;
    agent.decide(decision, askedMs);
    if (changed && agent.isAttached) this.#host.signals.gateChanged(agent.identity, decision);
  }

  /** @param before its target until now. */
  #sayGate(agent: Agent, before: bigint | undefined): void {
    const { log } = this.#options;
    const { pid, name } = agent.identity;
    if (agent.target !== undefined) {
      const { tuned, total } = agent.counts();
      log.info(`tuned ${tuned} of ${total} threads of ${name} (${pid})`);
    } else if (before !== undefined) log.info(`put ${name} (${pid}) back: ${agent.gate.reason}`);
  }

  /** The gate may have changed its word: every agent is asked for again. */
  async gateAll(): Promise<void> {
    for (const agent of this.all()) {
      try {
        const before = agent.target;
        await this.#gate(agent, this.#options.decisions.ruleTarget(agent.identity.rule));
        this.#sayGate(agent, before);
      } catch (error) {
        this.#failed(`the gate of ${agent.identity.name}`, error);
      }
    }
    this.#onChange();
  }

  gone(pid: number): void {
    const agent = this.#byPid.get(pid);
    if (!agent) return;
    this.#byPid.delete(pid);
    this.#options.decisions.forget(pid);
    this.#options.tracer?.detach(pid);
    agent.gone();
    this.#options.log.info(`${agent.identity.name} (${pid}) has ended`);
    this.#onChange();
  }

  /** Puts an agent that lives on back, and stops measuring it. */
  letGo(pid: number, reason: string): void {
    const agent = this.#byPid.get(pid);
    if (!agent) return;
    this.#byPid.delete(pid);
    const results = agent.revert(reason);
    this.#options.tracer?.detach(pid);
    agent[Symbol.dispose]();
    const restored = results.filter((r) => r.outcome === 'restored').length;
    const { name } = agent.identity;
    this.#options.log.info(
      results.length > 0 ? `put back ${restored} threads of ${name} (${pid})` : `let ${name} (${pid}) go`,
    );
    this.#onChange();
  }

  /** There are more agents than have series of their own: counted, and said once. */
  #overflowed(agent: Agent): void {
    this.#host.signals.operation('measure', 'overflow');
    if (!this.#hasOverflowed)
      this.#options.log.warn(
        `from ${agent.identity.name} (${agent.identity.pid}) on, agents share one series: too many at once`,
      );
    this.#hasOverflowed = true;
  }

  #failed(what: string, error: unknown): void {
    this.#options.log.error(`${what}: ${(error as Error).message}`);
  }
}

/** Milliseconds, of which the first is the sighting and each other ends a step. */
function describeTimes(times: readonly number[]): string {
  const us = (from: number, to: number) => `${((to - from) * 1_000).toFixed(0)} us`;
  const steps = ['heard', 'decided', 'measured', 'settled'].map(
    (step, i) => `${step} in ${us(times[i] ?? 0, times[i + 1] ?? 0)}`,
  );
  return `${steps.join(', ')}; ${us(times[0] ?? 0, times.at(-1) ?? 0)} after it was sighted`;
}
