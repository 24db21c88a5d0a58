/** The JSON documents about agents (`--json`). Other programs rely on them: fields may be added, but never renamed. */
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

/** What happened to an agent, and its status after that: one line of `taut watch --json`. */
export interface AgentEvent {
  readonly at: string;
  readonly event: 'attach' | 'tune' | 'revert' | 'release' | 'end';
  readonly agent: AgentStatus;
}

/** The state of measuring. */
export interface TracerStatus {
  readonly mode: Mode;
  /** Why the mode is not `full`; null when it is. */
  readonly modeReason: string | null;
  readonly state: 'ok' | 'degraded';
  /** Why the tracer is not reliable; null when it is. */
  readonly reason: string | null;
  /** CPU time of the BPF programs, percent of a core, and how it was determined; null when it is not known. */
  readonly cost: { readonly percent: number | null; readonly method: string | null };
  /** What is recorded under `--max-overhead`: one wakeup in `factor`; all its quantities when `detail` is true. */
  readonly sampling: { readonly factor: number; readonly detail: boolean };
}

/** The guard: the process that puts everything back if taut is killed; null when there is none. */
type Guarded = { readonly pid: number } | null;

export interface StatusDocument {
  /** `public`: only what the daemon shows to every user; this user may not read its state directory. */
  readonly access: 'full' | 'public';
  readonly daemon: { readonly pid: number; readonly since: string } | null;
  /** Null when no daemon runs. */
  readonly tracer: TracerStatus | null;
  /** Each `taut run` that manages its command itself, without the daemon. */
  readonly runs: readonly { readonly pid: number; readonly since: string; readonly guard: Guarded }[];
  /** The agents of the daemon and of all `runs`. */
  readonly agents: readonly AgentStatus[];
  /** The daemon's guard; null when nothing may be tuned, and with `--no-guard`. */
  readonly guard: Guarded;
  /** `entries` is null when this user may not read the ledger, or when it can't be read: then `problem` says why. */
  readonly ledger: { readonly path: string; readonly entries: number | null; readonly problem?: string };
  /** Root's daemon on this host, when the user who asked has another state directory. */
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
