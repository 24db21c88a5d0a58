/** Types that identify an agent and count its threads, apart from the behaviour in `agent.ts`. */
import type { Origin } from '../proc/origin.ts';

/** Identifies the process; fixed when the agent was found. */
export interface AgentIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly name: string;
  readonly rule: string;
  readonly attachPath: string;
  /** Where it ran (container and executable) when that was first asked; reading it is slow, and not needed at once. */
  readonly origin: () => Origin;
}

/** An agent's threads, by the outcome of a knob. */
export interface ThreadCounts {
  readonly total: number;
  readonly original: number;
  readonly tuned: number;
  readonly drifted: number;
  readonly exempt: number;
}
