/**
 * What pairs of measurements say about a ratio. The speed of a machine drifts by more than what is to be shown; both
 * measurements of a pair are made one right after the other, so the drift is in both, and not in their ratio. Pure.
 */

/** A measurement, and what it is compared with: positive, of one unit. */
export type Pair = readonly [measured: number, reference: number];

/** How much more the measured one is, in percent. With a probability of 95% the truth is between `low` and `high`. */
export interface Estimate {
  readonly percent: number;
  readonly low: number;
  readonly high: number;
}

/** A wider interval, in points of percent, says nothing that is worth saying. */
export const WIDEST = 3;
const RESAMPLES = 1_000;
const OUTSIDE = 0.025;

/** The items in random order, each order as likely as any other. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = items.map((item) => ({ item, at: random() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}

/**
 * The mean of the middle half of the logarithms of the ratios: a disturbed measurement does not count, however far out
 * it is. The interval is a bootstrap's: the same of as many pairs, drawn from these with repetition, a thousand times.
 */
export function estimate(pairs: readonly Pair[], random: () => number): Estimate {
  const logs = pairs.map(([measured, reference]) => Math.log(measured / reference));
  const drawn = () => logs.map(() => logs[Math.floor(random() * logs.length)] ?? Number.NaN);
  const again = Array.from({ length: RESAMPLES }, () => middle(drawn())).toSorted((a, b) => a - b);
  const percent = (log: number | undefined) => (Math.exp(log ?? Number.NaN) - 1) * 100;
  return {
    percent: percent(middle(logs)),
    low: percent(again[Math.floor(RESAMPLES * OUTSIDE)]),
    high: percent(again[Math.ceil(RESAMPLES * (1 - OUTSIDE)) - 1]),
  };
}

/** Whether the interval is narrow enough for the figure to say something. */
export function tells({ low, high }: Estimate): boolean {
  return high - low <= WIDEST;
}

/** `+12.1% (11.4 to 12.9)`, or `can't tell (-4.0 to 9.1)`. */
export function inWords(of: Estimate): string {
  const figure = tells(of) ? `${of.percent < 0 ? '' : '+'}${of.percent.toFixed(1)}%` : "can't tell";
  return `${figure} (${of.low.toFixed(1)} to ${of.high.toFixed(1)})`;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function middle(values: readonly number[]): number {
  const quarter = Math.floor(values.length / 4);
  const half = values.toSorted((a, b) => a - b).slice(quarter, values.length - quarter);
  return half.reduce((sum, value) => sum + value, 0) / half.length;
}
