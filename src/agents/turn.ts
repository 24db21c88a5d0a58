/** One turn of an agent that is not over, and how it can be over. */
import type { AgentSnapshot, Series } from '../tracer/series.ts';
import type { Agent } from './agent.ts';
import type { TurnMarker } from './turnMarker.ts';

/** How a turn that has begun is over. */
export type TurnEnd =
  /** Its hook said so. */
  | 'ended'
  /** The next turn of its session began: the agent runs no hook when a person interrupts a turn. */
  | 'superseded'
  | 'agent_ended'
  /** taut watches the agent no more. */
  | 'released'
  | 'too_long';

export interface Turn {
  readonly agent: Agent;
  readonly said: TurnMarker;
  /** When its first snapshot was taken, or its agent's histograms began: milliseconds since the epoch. */
  readonly begunMs: number;
  /** Whether it had begun when taut began to measure the agent. */
  readonly isPartial: boolean;
  /** The histograms of each of its processes at its beginning. */
  readonly before: ReadonlyMap<number, AgentSnapshot>;
  /** What was counted of those of its processes that have ended. */
  readonly ended: Series[];
  readonly processes: Set<number>;
  /** What was tuned at its beginning, `knob=value`. */
  readonly tuned: readonly string[];
}

/** Turns of one session come one after another. Those without an id are one session. */
export const sessionOf = ({ session = '' }: TurnMarker) => session;

/** What is tuned of an agent now, `knob=value`. */
export function tunedOf({ tunings }: Agent): string[] {
  return tunings.flatMap(({ knob, target }) => (target === undefined ? [] : [`${knob.id}=${target}`]));
}
