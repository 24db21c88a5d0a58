/** The documents that `--json` prints of agents. Other programs rely on them: they grow, nothing is renamed. */
import type { GateDecision } from '../gate/gate.ts';
import type { Mode } from '../tracer/features.ts';
import type { Agent } from './agent.ts';
import type { ThreadCounts } from './identity.ts';

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

/** How measuring goes. */
export interface TracerStatus {
  readonly mode: Mode;
  /** Why it is not `full`; null when it is. */
  readonly modeReason: string | null;
  readonly state: 'ok' | 'degraded';
  /** Why the tracer is not to be believed; null when it is. */
  readonly reason: string | null;
  /** What the BPF programs use, percent of a core; null where it is not known, and how it was had. */
  readonly cost: { readonly percent: number | null; readonly method: string | null };
  /** What `--max-overhead` makes it leave out: it records one wakeup in `factor`, and all of it when `detail`. */
  readonly sampling: { readonly factor: number; readonly detail: boolean };
}

/** The process that puts everything back should a taut be killed; null where there is none. */
type Guarded = { readonly pid: number } | null;

export interface StatusDocument {
  /** `public`: what a daemon tells everybody, to a user who may not look into its state directory. */
  readonly access: 'full' | 'public';
  readonly daemon: { readonly pid: number; readonly since: string } | null;
  /** Null when no daemon runs. */
  readonly tracer: TracerStatus | null;
  /** Each `taut run` that looks after its command itself. */
  readonly runs: readonly { readonly pid: number; readonly since: string; readonly guard: Guarded }[];
  /** Of all of these. */
  readonly agents: readonly AgentStatus[];
  /** The process that puts everything back should the daemon be killed; null where nothing may be tuned, and with `--no-guard`. */
  readonly guard: Guarded;
  /** `entries` is null where the ledger may not be read, and, where `problem` says why, where it can't be. */
  readonly ledger: { readonly path: string; readonly entries: number | null; readonly problem?: string };
  /** Root's daemon on this host, where a user asked who has a state directory of its own. */
  readonly hostDaemon?: {
    readonly stateDir: string;
    readonly pid: number;
    readonly since: string;
    readonly agents: number;
    readonly tuned: number;
  };
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
