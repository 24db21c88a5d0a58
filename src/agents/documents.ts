/**
 * The JSON documents about agents (`--json`), which the package gives as objects. Other programs rely on them: fields may be added,
 * but never renamed. Types alone, and none of a library: whoever uses the package compiles with them.
 */
import type { Off } from '../actuator/off.ts';
import type { Layer } from '../gate/gate.ts';
import type { Mode } from '../tracer/features.ts';
import type { ThreadCounts } from './identity.ts';
import type { Waits } from './waits.ts';

/** How far the guardrail's trial of an agent is. */
export interface TrialStatus {
  /** `passed`: no harm was found. */
  readonly state: 'running' | 'passed';
  /** How many blocks are done, and how many a trial has. */
  readonly blocks: number;
  readonly of: number;
  /** When the last trial ended, RFC 3339; null while it runs. */
  readonly passedAt: string | null;
}

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
