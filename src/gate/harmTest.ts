/**
 * Decides whether what an agent was given does harm, from windows of which one in each block was held back, drawn by lot. Pure.
 *
 * A block is four windows of the same length. In one of them, drawn anew for each block, the agent has what it had before; in the
 * others it is tuned. If tuning does nothing, the window that was held back is as likely to be the best of the four as any
 * other, whatever else the machine does meanwhile, and however the windows depend on each other: the lot knows nothing of that.
 * So bets at fair odds that the window held back is among the best win nothing in the long run, and the chance that they ever
 * multiply what they began with by n is at most 1 in n (Ville's inequality), at whichever block one looks and stops.
 *
 * What is allowed is put into the same question: what the window held back has shown is raised to the most that is allowed for it
 * before it is compared. Then the bets win in the long run only where tuning does more than that.
 */

/** Windows in a block. */
export const WINDOWS = 4;

/** A quantity of which more is worse, in the windows of a block. */
export interface Block {
  /** Without tuning. */
  readonly held: number;
  /** With it: `WINDOWS - 1` values. */
  readonly tuned: readonly number[];
}

/** The most that is allowed for a value that was found. */
export type Allowed = (found: number) => number;

/**
 * What a bet wins by how many of the tuned windows are no worse than the one held back: of none, one, … The sum of each is 0: fair
 * odds. The first one is quick where every block shows the harm, the second where most do.
 */
const ODDS = [
  [3, -1, -1, -1],
  [1, 1 / 3, -1 / 3, -1],
] as const;
/** How much of what it has a bet puts at stake each time. Below 1, so that none is lost for good by one block. */
const STAKES = [0.2, 0.4, 0.6, 0.8, 0.95];
const BETS = ODDS.flatMap((odds) => STAKES.map((stake) => ({ odds, stake })));

/** By how much the bets have multiplied what they began with, each having had the same part of it. */
function winnings(ranks: readonly number[]): number {
  const sum = BETS.reduce((total, { odds, stake }) => {
    return total + ranks.reduce((has, rank) => has * (1 + stake * (odds[rank] ?? -1)), 1);
  }, 0);
  return sum / BETS.length;
}

/** The evidence that tuning does more harm than is allowed: 1 is none, and n has a chance of 1 in n at most where it does not. */
export function evidenceOfHarm(blocks: readonly Block[], allowed: Allowed): number {
  // What is equal counts as no worse.
  return winnings(blocks.map(({ held, tuned }) => tuned.filter((value) => value <= allowed(held)).length));
}

/** As `evidenceOfHarm`, that tuned values are less than the found ones times `ratio`. */
function evidenceOfLess(blocks: readonly Block[], ratio: number): number {
  return winnings(blocks.map(({ held, tuned }) => tuned.filter((value) => value >= held * ratio).length));
}

/** Tuned values divided by found ones; a bound that the blocks do not give is 0 or Infinity. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const WIDEST = 1_024;
const STEPS = 40;

/**
 * By which factor the tuned windows differ from the found ones: what the evidence at this error rate has not excluded, with the
 * error rate at each end. It holds at whichever block one looks.
 */
export function intervalOf(blocks: readonly Block[], errorRate: number): Interval {
  const isMore = (ratio: number) => evidenceOfHarm(blocks, (found) => found * ratio) >= 1 / errorRate;
  const isLess = (ratio: number) => evidenceOfLess(blocks, ratio) >= 1 / errorRate;
  const low = isMore(1 / WIDEST) ? boundary(isMore) : 0;
  const high = isLess(WIDEST) ? boundary((ratio) => !isLess(ratio)) : Number.POSITIVE_INFINITY;
  return { low, high };
}

/** Where `holds`, which is true for small ratios, becomes false. */
function boundary(holds: (ratio: number) => boolean): number {
  let [from, to] = [-Math.log(WIDEST), Math.log(WIDEST)];
  for (let step = 0; step < STEPS; step++) {
    const middle = (from + to) / 2;
    if (holds(Math.exp(middle))) from = middle;
    else to = middle;
  }
  return Math.exp(from);
}

/** The value in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (i: number) => sorted[i] ?? Number.NaN;
  return (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2;
}
