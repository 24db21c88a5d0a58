/** The picture of how late timers fire: drawn from the demo's JSON, and nothing else. */
import { expect, test } from 'vitest';
import { drawLateness, type Measured } from '../../scripts/drawLateness.ts';
import type { Phase } from '../../src/cli/demo/phase.ts';
import { toJson } from '../../src/cli/demo/report.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';

/** Bucket -112 at scale 3 begins at 2^-14 s, 61 us. */
const histogram = (offset: number, buckets: readonly number[]): ExpHistogram => ({
  ...{ scale: 3, offset, buckets, zeroCount: 0, sumNs: 0n, minNs: undefined, maxNs: undefined },
  count: buckets.reduce((sum, n) => sum + n, 0),
});

const phase = (lateness: ExpHistogram): Phase => ({
  ...{ name: 'original', seconds: 1, threads: { total: 1, original: 1, tuned: 0 }, slacks: new Map() },
  ...{ lateness: new Map([['reachable', lateness] as const]), runQueueDelay: lateness, cost: { kernel: 0, user: 0 } },
});

function measured(lateness: ExpHistogram): Measured {
  const { phases } = toJson([phase(lateness)]) as {
    phases: [{ metrics: { 'taut.timer.lateness': { reachable: Measured } } }];
  };
  return phases[0].metrics['taut.timer.lateness'].reachable;
}

test('the JSON of the demo has the buckets that its quantiles come from', () => {
  expect(measured(histogram(-112, [1, 0, 3]))).toMatchObject({
    count: 4,
    histogram: { scale: 3, offset: -112, buckets: [1, 0, 3], zeroCount: 0 },
  });
});

test('each bucket is one step, as wide as the bucket, and as high as its share', () => {
  const svg = drawLateness(measured(histogram(-112, [1, 4])), measured(histogram(-128, [2])), 'here');
  const [found = '', tuned = ''] = [...svg.matchAll(/class="outline \w+" d="([^"]+)"/g)].map(([, path]) => path ?? '');
  const points = (path: string) =>
    path
      .split(/[ML]/)
      .slice(1)
      .map((point) => point.split(' ').map(Number));
  const [, low, lowEnd, high, highEnd, end] = points(found);
  const bottom = end?.[1] ?? 0;
  const heights = [low, lowEnd, high, highEnd].map((point) => bottom - (point?.[1] ?? 0));
  // One timer of five, then four of five; the highest step, all of the other phase's timers, is the full height.
  const full = bottom - (points(tuned)[1]?.[1] ?? 0);
  expect(heights.map((height) => Math.round((height / full) * 100))).toEqual([20, 20, 80, 80]);
  expect((lowEnd?.[0] ?? 0) - (low?.[0] ?? 0)).toBeCloseTo((highEnd?.[0] ?? 0) - (high?.[0] ?? 0), 1);
});

test('says the medians, how many lie beyond the ends, and where it was measured', () => {
  const long = histogram(-112, [1_000, ...Array<number>(80).fill(0), 4]);
  const svg = drawLateness(measured(long), measured(histogram(-128, [100])), 'Linux 1, 2 cores');
  expect(svg).toContain('before: half within 64 µs');
  expect(svg).toContain('tuned: half within 16 µs');
  expect(svg).toContain('1104 timers; beyond the ends: 0.4% before, 0.0% tuned. Linux 1, 2 cores');
});

test('draws nothing of a phase in which nothing was measured', () => {
  const none = measured(histogram(0, []));
  expect(() => drawLateness(none, none, 'here')).toThrow('too few timers');
});
