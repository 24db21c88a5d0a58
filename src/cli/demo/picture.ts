/** Draws a histogram as one line of text: four columns per doubling, on one axis for all lines. Pure. */
import type { ExpHistogram } from '../../tracer/series.ts';

const LEVELS = ' ▁▂▃▄▅▆▇█';
const COLUMNS_PER_DOUBLING = 4;

export interface Axis {
  /** Seconds. */
  readonly from: number;
  readonly doublings: number;
  readonly unit: 'us' | 'ms';
}

/** From 2 us to 2 ms: timer and run queue delays of a machine that is not overloaded. */
export const QUIET: Axis = { from: 2e-6, doublings: 10, unit: 'us' };
/** From 31 us to 128 ms: what there is beside a build. */
export const BUSY: Axis = { from: 2 ** -15, doublings: 12, unit: 'ms' };
const UNITS = { us: 1e6, ms: 1e3 };

/** Each column is relative to the fullest one. Values beyond an end of the axis go into the column at that end. */
export function sparkline(histogram: ExpHistogram, { from, doublings }: Axis): string {
  const columns = new Array<number>(doublings * COLUMNS_PER_DOUBLING).fill(0);
  const put = (column: number, n: number) => {
    const at = Math.min(columns.length - 1, Math.max(0, column));
    columns[at] = (columns[at] ?? 0) + n;
  };
  put(0, histogram.zeroCount);
  for (const [i, n] of histogram.buckets.entries()) {
    const middle = 2 ** ((histogram.offset + i + 0.5) * 2 ** -histogram.scale);
    put(Math.floor(Math.log2(middle / from) * COLUMNS_PER_DOUBLING), n);
  }
  const most = Math.max(...columns, 1);
  return columns.map((n) => LEVELS[n === 0 ? 0 : Math.max(1, Math.round((n / most) * 8))]).join('');
}

/** The axis under the lines. */
export function axis({ from, doublings, unit }: Axis): string {
  const labels = Array.from({ length: doublings }, (_, i) =>
    label(from * UNITS[unit] * 2 ** i).padEnd(COLUMNS_PER_DOUBLING),
  );
  return `${labels.join('')}${unit}`;
}

/** As short as a doubling is wide. */
function label(value: number): string {
  return value < 1 ? value.toFixed(2).slice(1) : String(Math.round(value));
}
