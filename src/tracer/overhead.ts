/**
 * How much is recorded, so that measuring stays below a limit: first detail goes, then wakeups, half of them each time.
 * It comes back when there has been room for a while, and only so far as stays well below the limit. Pure.
 */
import type { Shed } from './series.ts';

/** 0: everything. 1: just lateness and run-queue delay. From 2 on: of one wakeup in 2, 4, 8, ... */
export interface OverheadState {
  readonly level: number;
  /** Looks in a row at which there was room for the next step back. */
  readonly calm: number;
}

export const EVERYTHING: OverheadState = { level: 0, calm: 0 };
/** One wakeup in 1,024: from here on what is left is being called at all. */
export const MAX_LEVEL = 11;

/** Each step back may double the cost, and shall then be below this part of the limit: so none is taken in vain. */
const ROOM = 0.8;
const CALM_LOOKS = 3;

/** @param cost, limit in the same unit; `cost` was measured at `state`'s level. */
export function nextOverhead({ level, calm }: OverheadState, cost: number, limit: number): OverheadState {
  if (cost > limit) {
    // Each step saves half at the most: so many are needed at the least.
    const steps = Math.max(1, Math.floor(Math.log2(cost / limit)));
    return { level: Math.min(MAX_LEVEL, level + steps), calm: 0 };
  }
  if (level === 0 || 2 * cost > ROOM * limit) return { level, calm: 0 };
  if (calm + 1 < CALM_LOOKS) return { level, calm: calm + 1 };
  const room = cost > 0 ? Math.floor(Math.log2((ROOM * limit) / cost)) : level;
  return { level: Math.max(0, level - room), calm: 0 };
}

/** What a level leaves out; undefined when that is nothing. */
export function shedAt(level: number): Shed | undefined {
  return level === 0 ? undefined : { detail: false, factor: 2 ** (level - 1) };
}
