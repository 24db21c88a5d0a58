/** By what the arms of a roll-out are compared. Pure. */
import type { Cells, Counts } from './distribution.ts';

/** The timers of an agent that timer slack delays: how late they fired. And all of its threads: how long they waited for a CPU. */
export type Histogram = 'lateness' | 'queue';

/** A wait that is far beyond any timer slack, in seconds. */
const LATE = 512e-6;

interface Measure {
  readonly of: Histogram;
  /** For people. */
  readonly title: string;
  /** Seconds, or a share of 1. */
  readonly unit: 'time' | 'share';
  readonly read: (cells: Cells, counts: Counts) => number;
}

export const MEASURES = {
  latenessP50: {
    ...{ of: 'lateness', title: 'timers late, p50', unit: 'time' },
    read: (cells, counts) => cells.quantile(counts, 0.5),
  },
  latenessP99: {
    ...{ of: 'lateness', title: 'timers late, p99', unit: 'time' },
    read: (cells, counts) => cells.quantile(counts, 0.99),
  },
  lateShare: {
    ...{ of: 'lateness', title: 'later than 512 us', unit: 'share' },
    read: (cells, counts) => cells.shareAbove(counts, LATE),
  },
  queueP99: {
    ...{ of: 'queue', title: 'waited for a CPU, p99', unit: 'time' },
    read: (cells, counts) => cells.quantile(counts, 0.99),
  },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof MEASURES;
export const MEASURE_NAMES = Object.keys(MEASURES) as MeasureName[];
