import { expect, test } from 'vitest';
import type { ExpHistogram, Series, Shed } from '../../src/tracer/series.ts';
import { SeriesBySetting } from '../../src/tracer/seriesBySetting.ts';

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
const ON = { key: 'taut.optimize', variant: 'on' };
const OFF = { key: 'taut.optimize', variant: 'off' };

test('as long as nothing is shed, hands on what the kernel counted, with its extremes', () => {
  expect(new SeriesBySetting({}).split(counted(5, 5))).toEqual(counted(5, 5));
});

test('keeps what was recorded in full apart from what was sampled, and adds up each', () => {
  const series = new SeriesBySetting({});
  series.change(counted(10, 10), { shed: HALF });
  expect(counts(series.split(counted(14, 10)))).toEqual([
    ['timer.lateness', undefined, 10, 300_000n],
    ['wakeup.latency', undefined, 10, 300_000n],
    ['timer.lateness', 2, 4, 120_000n],
  ]);
  series.change(counted(15, 10), {});
  expect(counts(series.split(counted(18, 12)))).toEqual([
    ['timer.lateness', undefined, 13, 390_000n],
    ['wakeup.latency', undefined, 12, 360_000n],
    ['timer.lateness', 2, 5, 150_000n],
  ]);
  series.change(counted(18, 12), { shed: HALF });
  expect(counts(series.split(counted(19, 12)))).toContainEqual(['timer.lateness', 2, 6, 180_000n]);
});

test('never loses or doubles an event: the parts add up to what the kernel counted', () => {
  const series = new SeriesBySetting({});
  for (let n = 1; n <= 50; n++) {
    const sum = series.split(counted(n, n)).reduce((total, { histogram: h }) => total + h.count, 0);
    expect(sum).toBe(2 * n);
    if (n % 7 === 0) series.change(counted(n, n), n % 2 ? { shed: HALF } : {});
    if (n % 5 === 0) series.change(counted(n, n), { ...series.setting, flag: n % 2 ? ON : OFF });
  }
});

test('what was counted under each variant of a flag stays apart, also when the flag goes back', () => {
  const series = new SeriesBySetting({ flag: OFF });
  series.change(counted(10, 0), { flag: ON });
  series.change(counted(13, 0), { flag: OFF });
  const byVariant = series.split(counted(20, 0)).map(({ flag, histogram: h }) => [flag?.variant, h.count]);
  expect(byVariant).toEqual([
    ['off', 17],
    ['on', 3],
  ]);
});

test('what nobody has read yet is given to the first variant', () => {
  const series = new SeriesBySetting({});
  series.rename({ flag: ON });
  expect(series.split(counted(4, 0)).map(({ flag, histogram: h }) => [flag, h.count])).toEqual([[ON, 4]]);
});
