/** One decision on a process, with what later steps need of its rule. */
export interface Verdict {
  readonly pid: number;
  readonly decision: 'attach' | 'deny' | 'ignore';
  /** The rule that won; `pid` when the operator named the process; empty for `ignore`. */
  readonly ruleId: string;
  readonly name: string;
  readonly attachPath: string;
  readonly evidence: readonly string[];
  /** Rules that match the process and did not decide. */
  readonly lost: readonly LostRule[];
  /** The agent whose program it is, told to do something else than be that agent. */
  readonly besides?: string;
}

/** A rule that matches the process too, but did not decide. */
export interface LostRule {
  readonly rule: string;
  readonly action: 'attach' | 'deny';
  readonly evidence: readonly string[];
  readonly why: string;
}
