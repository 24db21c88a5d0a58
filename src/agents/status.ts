/** The JSON documents about agents (`--json`). Other programs rely on them: fields may be added, but never renamed. */
import type { Knob } from '../actuator/knob.ts';
import type { Off } from '../actuator/off.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import type { GateDecision, Layer } from '../gate/gate.ts';
import type { Mode } from '../tracer/features.ts';
import type { Agent } from './agent.ts';
import type { TrialStatus } from './guardrailTrial.ts';
import type { ThreadCounts } from './identity.ts';
import { gateNow } from './knobTuning.ts';
import type { Waits } from './waits.ts';

/** What one knob of an agent is set to, and why. */
export interface KnobStatus {
  /** In the knob's unit (timer slack: nanoseconds); null when the knob is not tuned. */
  readonly target: number | null;
  /** The gate's last decision. */
  readonly gate: { readonly value: number | null; readonly reason: string; readonly layer?: Layer };
  readonly threads: ThreadCounts;
}

/** What `KnobStatus` has stands here a second time for the first knob, timer slack: it was there before the others. */
export interface AgentStatus extends KnobStatus {
  readonly pid: number;
  readonly name: string;
  readonly rule: string;
  readonly attachPath: string;
  /**
   * Every knob. `id`: as in the ledger and in telemetry, like `timer_slack_ns`. `inheritedCpu`: seconds that children ran with the
   * agent's value until they were put back; only of a knob that decides who runs.
   */
  readonly knobs: readonly (KnobStatus & { readonly id: string; readonly inheritedCpu?: number })[];
  /** Null when its wakeups are not measured one by one (see the mode), or share a series with others' or another taut's. */
  readonly waits: Waits | null;
  /** How far the guardrail's trial of it is; undefined where it is in none. */
  readonly guardrail?: TrialStatus;
}

/** What happened to an agent, and its status after that: one line of `taut watch --json`. */
export interface AgentEvent {
  readonly at: string;
  readonly event: 'attach' | 'tune' | 'revert' | 'release' | 'end';
  /** Id of the knob, for `tune` and `revert`. */
  readonly knob?: string;
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
  /** The kill switch: since when and why nothing is tuned; null when it is not. */
  readonly off: Off | null;
  /** What the guardrail has put back, and until when. `pid`: null when that is every agent. */
  readonly coolDowns: readonly { readonly pid: number | null; readonly reason: string }[];
  readonly daemon: { readonly pid: number; readonly since: string } | null;
  /** Whose flags decide, and its state; null when none do. */
  readonly flagProvider: { readonly name: string; readonly state: string } | null;
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

export function agentEvent(event: AgentEvent['event'], agent: Agent, waits?: Waits, knob?: Knob): AgentEvent {
  return { at: new Date().toISOString(), event, ...(knob && { knob: knob.id }), agent: agentStatus(agent, waits) };
}

export function agentStatus(agent: Agent, waits?: Waits): AgentStatus {
  const { pid, name, rule, attachPath } = agent.identity;
  const knobs = agent.tunings.map((tuning) => ({
    id: tuning.knob.id,
    target: tuning.target === undefined ? null : Number(tuning.target),
    gate: gateStatus(gateNow(tuning)),
    threads: agent.counts(tuning.knob),
    ...(tuning.inheritedNs !== undefined && { inheritedCpu: Number(tuning.inheritedNs) / 1e9 }),
  }));
  const { target, gate, threads } = knobs[0] ?? NOTHING;
  return { pid, name, rule, attachPath, target, gate, threads, knobs, waits: waits ?? null };
}

const NOTHING: KnobStatus = {
  target: null,
  gate: { value: null, reason: '' },
  threads: { total: 0, original: 0, tuned: 0, drifted: 0, exempt: 0 },
};

/** As another taut tells of an agent: one of an earlier version names no knobs. */
type ToldStatus = KnobStatus & Partial<Pick<AgentStatus, 'knobs'>>;

/** The knobs of an agent. A taut that names none knows timer slack alone. */
export function knobsOf({ target, gate, threads, knobs }: ToldStatus): AgentStatus['knobs'] {
  return knobs ?? [{ id: timerSlack.id, target, gate, threads }];
}

/** Whether any knob is tuned. */
export function isTuned(told: ToldStatus): boolean {
  return knobsOf(told).some(({ target }) => target !== null);
}

function gateStatus({ value, reason, layer }: GateDecision): KnobStatus['gate'] {
  return { value: value === null ? null : Number(value), reason, ...(layer && { layer }) };
}
