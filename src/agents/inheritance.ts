/** Decides on a sighted process by the rules and by the agent that it descends from. Does not attach. */
import type { Decisions } from '../discovery/decisions.ts';
import type { Scope } from '../discovery/scope.ts';
import type { Sighting } from '../discovery/sighting.ts';
import type { Verdict } from '../discovery/verdict.ts';
import { ancestors } from '../proc/ancestry.ts';
import type { ProcFiles } from '../proc/files.ts';
import { isGone, LazyHandle } from '../proc/handle.ts';
import type { Agent } from './agent.ts';
import { Parts } from './parts.ts';

export class InheritedDecisions {
  readonly #decisions: Decisions;
  readonly #scope: Scope;
  readonly #agent: (pid: number) => Agent | undefined;
  readonly #files: ProcFiles | undefined;
  readonly #parts: Parts;

  /** @param agent returns the agent that a process is now, if it is one. @param files where the processes are. */
  constructor(
    decisions: Decisions,
    scope: Scope,
    agent: (pid: number) => Agent | undefined,
    files: ProcFiles | undefined,
  ) {
    this.#decisions = decisions;
    this.#scope = scope;
    this.#agent = agent;
    this.#files = files;
    this.#parts = new Parts(agent, files);
  }

  /**
   * Decides on a process. `parent`: the agent that forked it, if being its child is enough to be an agent.
   * @throws TautError
   */
  decide(process: LazyHandle, seen: Sighting, parent: Agent | undefined): Verdict {
    const decided = this.#asPart(this.#decisions.decide(process, this.#scope, seen));
    if (!parent && !this.#decisions.childrenMatter) return decided;
    const verdict = this.#asChild(process.get().stat().ppid, parent, decided);
    this.#decisions.amend(verdict);
    return verdict;
  }

  /** The agent that only started this one, so that both are one agent. */
  launcherOf(worker: Agent, ppid: number): Agent | undefined {
    return this.#parts.launcherOf(worker, ppid);
  }

  /** What only started an agent of the same name is a part of it. */
  #asPart(decided: Verdict): Verdict {
    const { pid, decision, ruleId, name } = decided;
    const worker = decision === 'attach' && ruleId !== 'pid' ? this.#parts.workerBelow(pid, name) : undefined;
    if (!worker) return decided;
    const why = `part of ${name} (${worker.identity.pid}), which it started and which does the work`;
    const verdict = passedOver(decided, why);
    this.#decisions.amend(verdict);
    return verdict;
  }

  /** Decides again on a process; undefined when it is gone. */
  decideAgain(pid: number, seen: Sighting): Verdict | undefined {
    try {
      using process = new LazyHandle(pid, this.#files);
      const verdict = this.#decisions.decide(process, this.#scope, seen);
      this.#stays(verdict, seen);
      return verdict;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** An agent that renames itself or asks for another name stays an agent: the kept decision must say so. */
  #stays(verdict: Verdict, { source }: Sighting): void {
    const present = this.#agent(verdict.pid)?.identity;
    if (!present || verdict.decision !== 'ignore') return;
    if (source === 'exec' && present.attachPath !== 'descendant') return;
    const { rule: ruleId, name, attachPath } = present;
    const evidence = [`no rule names it now; it stays ${name}, as it was found`];
    this.#decisions.amend({ ...verdict, decision: 'attach', ruleId, name, attachPath, evidence });
  }

  /** Applies the parent's rule to a decision on its child. */
  #asChild(ppid: number, maker: Agent | undefined, decided: Verdict): Verdict {
    if (decided.decision === 'deny' || decided.ruleId === 'pid') return decided;
    const above = decided.decision === 'attach' ? this.agentAbove(ppid) : undefined;
    if (above && this.#decisions.children(above.identity.rule) === 'none') {
      const { name, rule, pid } = above.identity;
      return passedOver(decided, `it descends from ${name} (${pid}), whose rule ${rule} says children: none`);
    }
    const parent = maker ?? this.#agent(ppid);
    if (!parent) return decided;
    const children = this.#decisions.children(parent.identity.rule);
    const isHeir = decided.decision === 'ignore' && (children === 'all' || maker !== undefined);
    return isHeir ? descendantOf(parent.identity, decided) : decided;
  }

  /** The nearest agent among the ancestors of a process with this parent. */
  agentAbove(ppid: number): Agent | undefined {
    for (const { id } of ancestors(ppid, this.#files)) {
      const agent = this.#agent(id);
      if (agent) return agent;
    }
    return undefined;
  }
}

/** The verdict on a process that a rule names, and that is no agent all the same. */
function passedOver(decided: Verdict, why: string): Verdict {
  const { ruleId: rule, evidence, lost } = decided;
  const passed = { rule, action: 'attach', evidence, why } as const;
  return { ...decided, decision: 'ignore', ruleId: '', evidence: [why], lost: [passed, ...lost] };
}

/** The verdict on a child that is an agent by its parent's rule. */
function descendantOf({ rule, name, pid }: { rule: string; name: string; pid: number }, decided: Verdict): Verdict {
  const evidence = [`child of ${name} (${pid})`];
  return { ...decided, decision: 'attach', ruleId: rule, name, attachPath: 'descendant', evidence };
}
