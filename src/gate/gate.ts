/** Decides whether an agent may be tuned, and to which value: one interface for every kind of gate. */

import type { Descendants } from '../actuator/descendants.ts';
import { PROFILE } from '../actuator/profiles.ts';
import type { RuleGuardrail } from '../config/agentLimits.ts';
import { FLAG_PREFIX } from '../config/flagNames.ts';

/** What a gate knows about a knob; the actuator's `Knob` fits. */
export interface GatedKnob {
  readonly id: string;
  /** Name of the option; a prefix (`taut.`) and this name are the key of the feature flag. */
  readonly option: string;
  readonly defaultTarget: bigint;
  /** The profile that sets it beside `all`. */
  readonly profile?: 'responsive' | 'timers';
  /** Whether this host can do it. Default: it can. */
  support?(): { readonly ok: boolean; readonly detail: string };
  /** @throws RangeError */
  parse(text: string): bigint;
}

/** Key of the flag that names a profile: it decides on each knob that has no flag of its own. */
export function profileFlag(prefix: string = FLAG_PREFIX): string {
  return `${prefix}${PROFILE.option}`;
}

/** Key of a knob's feature flag, like `taut.optimize-timer-slack`. */
export function flagKey({ option }: Pick<GatedKnob, 'option'>, prefix: string = FLAG_PREFIX): string {
  return `${prefix}${option}`;
}

/** What a flag's targeting may go by, beside the agent's name and rule; what is not known is undefined. */
export interface About {
  readonly executable?: string | undefined;
  readonly container?: string | undefined;
  readonly podUid?: string | undefined;
  readonly user?: string | undefined;
  /** When the process was made, RFC 3339. */
  readonly created?: string | undefined;
  /** The same in clock ticks since boot, which stay the same when the clock is set. */
  readonly startTicks?: number | undefined;
}

export interface GateQuestion {
  readonly knob: GatedKnob;
  readonly pid: number;
  readonly name: string;
  readonly ruleId: string;
  /** The process's start time, in clock ticks since boot, where it is known. */
  readonly startTicks?: number;
  /** The value that the agent's rule asks for, in the knob's unit; `off`: this rule's agents are never tuned. */
  readonly ruleTarget?: bigint | 'off';
  /** The value that a `taut run` asked for when it handed the process over; `off`: it asked for none, do not tune. */
  readonly asked?: bigint | 'off';
  /** Read where a flag is asked: it takes time. */
  readonly about?: () => About;
  /** What was decided last on this knob of this agent; undefined for a new agent. */
  readonly last?: GateDecision;
}

/**
/**
 * Who decided: `never` (--observe-only, the kill switch) comes before `guardrail` (tuning has done harm), that before `rule` (it
 * says off), that before `flag`, that before `option`, that before `configuration`; `off`: nobody asked for tuning.
 */
export type Layer = 'never' | 'guardrail' | 'rule' | 'flag' | 'option' | 'configuration' | 'off';

export interface GateDecision {
  /** Undefined where a gate of an application's own decides. */
  readonly layer?: Layer;
  /** The target, in the knob's unit; null: do not tune. */
  readonly value: bigint | null;
  /** The reason in words, for `status`, `explain` and the `gate` span. */
  readonly reason: string;
  readonly flag?: {
    readonly key: string;
    readonly provider: string;
    readonly variant: string | undefined;
    readonly reason: string | undefined;
    /** Its value as JSON, where the provider names no variant. */
    readonly value?: string;
    /** For whom it was evaluated: the targeting key. */
    readonly context?: string;
  };
  /** What the agent's children get that no rule names; undefined: as the option says. */
  readonly descendants?: Descendants;
  /** RFC 3339. From then on the flag that decided counts as off. */
  readonly until?: string;
  /** What the flag that decided lets the guardrail allow: it comes before what the agent's rule says. */
  readonly guardrail?: RuleGuardrail;
  /** Why there is no answer: a code of OpenFeature, or words. */
  readonly failure?: string;
  /** The decision is an earlier one, as there is no answer now: its reason, and since when there is none (`performance.now`). */
  readonly known?: { readonly reason: string; readonly atMs: number };
  /** When a flag has turned it on, or to another value, in the last minute (`performance.now`). */
  readonly turnsMs?: readonly number[];
  /** The flag says something else, and has changed too often to be followed at once. */
  readonly isDamped?: boolean;
}

/** Targets by the knob's id; without the knobs whose option was not given. */
export type Targets = ReadonlyMap<string, bigint>;

export interface Gate {
  /** Returns the question's `last` itself when that is the decision still: then nothing is to be done. */
  decide(question: GateQuestion): GateDecision | Promise<GateDecision>;
  /** Whether the kill switch keeps it shut; undefined where there is none. */
  readonly isOff?: boolean;
  /** Whose flags decide, and its state by OpenFeature: `READY`, `ERROR`, …; undefined where no flag does. */
  readonly provider?: { readonly name: string; readonly state: string } | undefined;
  /** Calls back when decisions may have changed. @returns a function that ends that. */
  onChange(callback: () => void): () => void;
  close(): Promise<void>;
}
