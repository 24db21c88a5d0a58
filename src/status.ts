/** The documents that `--json` prints of agents. Other programs rely on them: they grow, nothing is renamed. */
import type { Agent, ThreadCounts } from './agent.ts';
import type { GateDecision } from './gate/gate.ts';

export interface AgentStatus {
  readonly pid: number;
  readonly name: string;
  readonly rule: string;
  readonly attachPath: string;
  /** Nanoseconds; null when the agent is not tuned. */
  readonly target: number | null;
  readonly gate: { readonly value: number | null; readonly reason: string };
  readonly threads: ThreadCounts;
}

/** What happened to an agent, and how it is since: one line of `taut watch --json`. */
export interface AgentEvent {
  readonly at: string;
  readonly event: 'attach' | 'tune' | 'revert' | 'release' | 'end';
  readonly agent: AgentStatus;
}

export interface StatusDocument {
  readonly daemon: { readonly pid: number; readonly since: string } | null;
  readonly agents: readonly AgentStatus[];
  readonly ledger: { readonly path: string; readonly entries: number };
}

export function agentEvent(event: AgentEvent['event'], agent: Agent): AgentEvent {
  return { at: new Date().toISOString(), event, agent: agentStatus(agent) };
}

export function agentStatus(agent: Agent): AgentStatus {
  const { pid, name, rule, attachPath } = agent.identity;
  const [timerSlack] = agent.tunings;
  return {
    pid,
    name,
    rule,
    attachPath,
    target: timerSlack?.target === undefined ? null : Number(timerSlack.target),
    gate: gateStatus(timerSlack?.gate ?? { value: null, reason: '' }),
    threads: agent.counts(),
  };
}

function gateStatus({ value, reason }: GateDecision): AgentStatus['gate'] {
  return { value: value === null ? null : Number(value), reason };
}
