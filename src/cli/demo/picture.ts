/** Draws a histogram as one line of text: four columns per doubling, on one axis for all lines. Pure. */
import type { ExpHistogram } from '../../tracer/series.ts';

const LEVELS = ' ▁▂▃▄▅▆▇█';
const COLUMNS_PER_DOUBLING = 4;
/** Seconds. The axis goes from 2 us to 2 ms: timer and run queue delays of a machine that is not overloaded. */
const FROM = 2e-6;
const DOUBLINGS = 10;
const COLUMNS = DOUBLINGS * COLUMNS_PER_DOUBLING;

/** Each column is relative to the fullest one. Values beyond an end of the axis go into the column at that end. */
export function sparkline(histogram: ExpHistogram): string {
  const columns = new Array<number>(COLUMNS).fill(0);
  const put = (column: number, n: number) => {
    const at = Math.min(COLUMNS - 1, Math.max(0, column));
    columns[at] = (columns[at] ?? 0) + n;
  };
  put(0, histogram.zeroCount);
  for (const [i, n] of histogram.buckets.entries()) {
    const middle = 2 ** ((histogram.offset + i + 0.5) * 2 ** -histogram.scale);
    put(Math.floor(Math.log2(middle / FROM) * COLUMNS_PER_DOUBLING), n);
  }
  const most = Math.max(...columns, 1);
  return columns.map((n) => LEVELS[n === 0 ? 0 : Math.max(1, Math.round((n / most) * 8))]).join('');
}

/** The axis under the lines, in microseconds. */
export function axis(): string {
  const labels = Array.from({ length: DOUBLINGS }, (_, i) =>
    String(Math.round(FROM * 1e6 * 2 ** i)).padEnd(COLUMNS_PER_DOUBLING),
  );
  return `${labels.join('')}us`;
}
