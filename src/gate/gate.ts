/** May this agent be tuned, and to what: one interface, whoever decides. */

/** What a gate knows of a knob: the actuator's `Knob` is one. */
export interface GatedKnob {
  readonly id: string;
  /** `taut.` before it is the key of its feature flag. */
  readonly option: string;
  readonly defaultTarget: bigint;
  /** @throws RangeError */
  parse(text: string): bigint;
}

/** `taut.optimize-timer-slack` and the like. */
export function flagKey({ option }: GatedKnob): string {
  return `taut.${option}`;
}

export interface GateQuestion {
  readonly knob: GatedKnob;
  readonly pid: number;
  readonly name: string;
  readonly ruleId: string;
  /** What the agent's rule asks for, in the knob's unit; `off`: this rule's agents are never tuned. */
  readonly ruleTarget?: bigint | 'off';
  /** What the `taut run` asked for that handed the process over: one that asked for nothing is not tuned. */
  readonly asked?: bigint | 'off';
}

export interface GateDecision {
  /** What to tune to, in the knob's unit; null: leave it as it is. */
  readonly value: bigint | null;
  /** In words, for `status`, `explain` and the `gate` span. */
  readonly reason: string;
  readonly flag?: {
    readonly key: string;
    readonly provider: string;
    readonly variant: string | undefined;
    readonly reason: string | undefined;
  };
}

/** What the command line asks for, by the knob's id; a knob whose option was not given is not in it. */
export type Targets = ReadonlyMap<string, bigint>;

export interface Gate {
  decide(question: GateQuestion): GateDecision | Promise<GateDecision>;
  /** Calls back when decisions may have changed. @returns ends that. */
  onChange(callback: () => void): () => void;
  close(): Promise<void>;
}
