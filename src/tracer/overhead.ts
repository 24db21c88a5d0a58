/**
 * Decides how much is recorded, so that the cost of measuring stays below a limit. First detail is shed, then half of
 * the wakeups with each further level. The level falls again after the cost was low for a while, and only so far that
 * the cost stays well below the limit. Pure.
 */
import type { Shed } from './series.ts';

/** Level 0: records everything. 1: only lateness and run-queue delay. From 2 on: these of one wakeup in 2, 4, 8, ... */
export interface OverheadState {
  readonly level: number;
  /** Consecutive measurements with room for the next lower level. */
  readonly calm: number;
}

export const EVERYTHING: OverheadState = { level: 0, calm: 0 };
/** One wakeup in 1,024: what remains is the cost of calling the programs, which can't be shed. */
export const MAX_LEVEL = 11;

/** A lower level may double the cost; it is taken only if the cost then stays below this part of the limit. */
const ROOM = 0.8;
const CALM_LOOKS = 3;

/** The next state. @param cost, limit in the same unit; `cost` was measured at the present level. */
export function nextOverhead({ level, calm }: OverheadState, cost: number, limit: number): OverheadState {
  if (cost > limit) {
    // Each level saves at most half of the cost: at least this many levels are needed.
    const steps = Math.max(1, Math.floor(Math.log2(cost / limit)));
    return { level: Math.min(MAX_LEVEL, level + steps), calm: 0 };
  }
  if (level === 0 || 2 * cost > ROOM * limit) return { level, calm: 0 };
  if (calm + 1 < CALM_LOOKS) return { level, calm: calm + 1 };
  const room = cost > 0 ? Math.floor(Math.log2((ROOM * limit) / cost)) : level;
  return { level: Math.max(0, level - room), calm: 0 };
}

/** What a level leaves out; undefined when nothing. */
export function shedAt(level: number): Shed | undefined {
  return level === 0 ? undefined : { detail: false, factor: 2 ** (level - 1) };
}
