/** One decision, with what the agent's life needs of its rule. */
export interface Verdict {
  readonly pid: number;
  readonly decision: 'attach' | 'deny' | 'ignore';
  /** The rule that won; `pid` when the operator named the process; empty for `ignore`. */
  readonly ruleId: string;
  readonly name: string;
  readonly attachPath: string;
  readonly evidence: readonly string[];
  /** Rules that match it as well. */
  readonly lost: readonly LostRule[];
}

/** A rule that names the process as well, and did not decide. */
export interface LostRule {
  readonly rule: string;
  readonly action: 'attach' | 'deny';
  readonly evidence: readonly string[];
  readonly why: string;
}
