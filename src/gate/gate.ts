/** May this agent be tuned, and to what: one interface, whoever decides. */

export interface GateQuestion {
  readonly pid: number;
  readonly name: string;
  readonly ruleId: string;
  /** What the agent's rule asks for, nanoseconds; `off`: this rule's agents are never tuned. */
  readonly ruleTarget?: bigint | 'off';
}

export interface GateDecision {
  /** Nanoseconds to tune to; null: leave it as it is. */
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

export interface Gate {
  decide(question: GateQuestion): GateDecision | Promise<GateDecision>;
  /** Calls back when decisions may have changed. @returns ends that. */
  onChange(callback: () => void): () => void;
  close(): Promise<void>;
}

/** What an open gate gives when nobody names a value. */
export const DEFAULT_TARGET_NS = 1n;
