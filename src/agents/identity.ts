/** Which agent is meant, and how its threads are: what all that is about agents names, without what an agent does. */
import type { Place } from '../proc/place.ts';

/** Who the process is, fixed when it was identified. */
export interface AgentIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly name: string;
  readonly rule: string;
  readonly attachPath: string;
  /** Where it runs; asked for once there is time. */
  readonly place: () => Place;
}

/** An agent's threads, by what became of a knob. */
export interface ThreadCounts {
  readonly total: number;
  readonly original: number;
  readonly tuned: number;
  readonly drifted: number;
  readonly exempt: number;
}
