import { expect, test } from 'vitest';
import type { ExpHistogram, Series, Shed } from '../../src/tracer/series.ts';
import { ShedSeries } from '../../src/tracer/shedSeries.ts';

const histogram = (n: number): ExpHistogram => ({
  scale: 3,
  offset: -120,
  buckets: [n],
  zeroCount: 0,
  count: n,
  sumNs: BigInt(n) * 30_000n,
  minNs: 30_000n,
  maxNs: 30_000n,
});

const counted = (lateness: number, latency: number): Series[] =>
  [
    {
      quantity: 'timer.lateness',
      source: undefined,
      slackClass: 'reachable',
      tuned: false,
      histogram: histogram(lateness),
    } as const,
    {
      quantity: 'wakeup.latency',
      source: 'timer',
      slackClass: 'reachable',
      tuned: false,
      histogram: histogram(latency),
    } as const,
  ].filter((series) => series.histogram.count > 0);

const counts = (series: readonly Series[]) =>
  series.map(({ quantity, shed, histogram: h }) => [quantity, shed?.factor, h.count, h.sumNs]);

const HALF: Shed = { detail: false, factor: 2 };

test('as long as nothing is shed, hands on what the kernel counted, with its extremes', () => {
  expect(new ShedSeries(undefined).split(counted(5, 5))).toEqual(counted(5, 5));
});

test('keeps what was recorded in full apart from what was sampled, and adds up each', () => {
  const series = new ShedSeries(undefined);
  series.change(counted(10, 10), HALF);
  expect(counts(series.split(counted(14, 10)))).toEqual([
    ['timer.lateness', undefined, 10, 300_000n],
    ['wakeup.latency', undefined, 10, 300_000n],
    ['timer.lateness', 2, 4, 120_000n],
  ]);
  series.change(counted(15, 10), undefined);
  expect(counts(series.split(counted(18, 12)))).toEqual([
    ['timer.lateness', undefined, 13, 390_000n],
    ['wakeup.latency', undefined, 12, 360_000n],
    ['timer.lateness', 2, 5, 150_000n],
  ]);
  series.change(counted(18, 12), HALF);
  expect(counts(series.split(counted(19, 12)))).toContainEqual(['timer.lateness', 2, 6, 180_000n]);
});

test('never loses or doubles an event: the parts add up to what the kernel counted', () => {
  const series = new ShedSeries(undefined);
  for (let n = 1; n <= 50; n++) {
    const sum = series.split(counted(n, n)).reduce((total, { histogram: h }) => total + h.count, 0);
    expect(sum).toBe(2 * n);
    if (n % 7 === 0) series.change(counted(n, n), n % 2 ? HALF : undefined);
  }
});
