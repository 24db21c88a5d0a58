/** The statistics and the words of `taut rollout`. */
import { expect, test } from 'vitest';
import { compare, FEWEST, type Unit } from '../../src/cli/rollout/bootstrap.ts';
import type { Collected } from '../../src/cli/rollout/collect.ts';
import { type Bucket, Cells, fromClassic } from '../../src/cli/rollout/distribution.ts';
import { baselineOf, document, inWords } from '../../src/cli/rollout/report.ts';
import { quantile } from '../../src/tracer/arithmetic.ts';
import { seeded } from '../../src/util/seeded.ts';

const BASE = 2 ** (1 / 8);

/** As Prometheus has a histogram of taut's: scale 3, each bucket with its bounds. */
const buckets = (offset: number, counts: readonly number[]): Bucket[] =>
  counts
    .map((count, i) => ({ left: BASE ** (offset + i), right: BASE ** (offset + i + 1), count }))
    .filter(({ count }) => count > 0);

test("the quantiles are those of taut's own histograms, and of a sum those of the sum", () => {
  const histograms = [buckets(-120, [5, 0, 7, 1]), buckets(-118, [3, 0, 0, 9])];
  const cells = new Cells(histograms);
  const counts = cells.empty();
  for (const one of histograms) cells.add(counts, one);
  const sum = { scale: 3, offset: -120, buckets: [5, 0, 10, 1, 0, 9], zeroCount: 0, count: 25 };
  const own = { ...sum, sumNs: 0n, minNs: undefined, maxNs: undefined };
  for (const q of [0, 0.1, 0.5, 0.9, 0.99, 1])
    expect(cells.quantile(counts, q)).toBeCloseTo(quantile(own, q) ?? Number.NaN, 12);
  expect(cells.quantile(cells.empty(), 0.5)).toBeNaN();
  expect(cells.shareAbove(cells.empty(), 1)).toBeNaN();
});

test('histograms of other buckets are added without losing a value, each spread over the cells that it reaches', () => {
  const fine = buckets(-88, Array(16).fill(1));
  const coarse: Bucket[] = [{ left: BASE ** -88, right: BASE ** -72, count: 16 }];
  const cells = new Cells([fine, coarse]);
  const [a, b] = [cells.empty(), cells.empty()];
  cells.add(a, fine);
  cells.add(b, coarse);
  expect(b.reduce((sum, count) => sum + count, 0)).toBeCloseTo(16, 10);
  expect([...b].map((count, i) => count - (a[i] ?? 0)).every((difference) => Math.abs(difference) < 1e-9)).toBe(true);
  expect(cells.shareAbove(b, BASE ** -80)).toBeCloseTo(0.5, 10);
});

test('classic buckets count what is up to each bound; of the last one only its beginning is known', () => {
  const own = fromClassic([
    { le: Number.POSITIVE_INFINITY, count: 10 },
    { le: 0.001, count: 8 },
    { le: 0.0001, count: 2 },
  ]);
  expect(own.map(({ count }) => count)).toEqual([2, 6, 2]);
  const cells = new Cells([own]);
  const counts = cells.empty();
  cells.add(counts, own);
  expect([cells.quantile(counts, 0.1), cells.quantile(counts, 0.2), cells.quantile(counts, 0.99)]).toEqual([
    0.00005, 0.0001, 0.001,
  ]);
  expect(cells.shareAbove(counts, 0.5)).toBeCloseTo(0.2, 12);
});

/** Agents that are woken late by an own measure of theirs, each some 50 times. @param late buckets that arm `on` is later. */
function roll(seed: number, agents: number, late: number) {
  const random = seeded(seed);
  const all = Array.from({ length: agents }, (_, i) => {
    const middle = Math.floor(8 * random()) + (i % 2) * late;
    const counts = Array(48).fill(0);
    for (let n = 0; n < 50; n++) counts[Math.floor(middle + 8 * random())]++;
    return { variant: i % 2 ? 'on' : 'off', buckets: buckets(-120, counts) };
  });
  const cells = { lateness: new Cells(all.map((one) => one.buckets)), queue: new Cells([]) };
  const units: Unit[] = all.map(({ variant, buckets: own }) => {
    const lateness = cells.lateness.empty();
    cells.lateness.add(lateness, own);
    return { arms: new Map([[variant, { lateness }]]) };
  });
  return { units, cells, compared: compare(units, cells, ['off', 'on'], 'off') };
}

test('of arms that do not differ, 95 intervals of 100 have zero in them, as stated', () => {
  const rounds = 100;
  let missed = 0;
  for (let seed = 1; seed <= rounds; seed++) {
    const { low, high } = roll(seed, 40, 0).compared.differences.get('on')?.latenessP50 ?? {};
    if (!((low ?? 1) <= 0 && (high ?? -1) >= 0)) missed++;
  }
  // Of 5 that are to be expected; percentiles of draws are a little narrow for twenty agents an arm.
  expect(missed).toBeLessThanOrEqual(10);
}, 60_000);

test('a true difference is found, with an interval around it, and the same data say the same again', () => {
  const late = 16;
  const [one, again] = [roll(7, 40, late).compared, roll(7, 40, late).compared];
  expect(one).toEqual(again);
  const { value, low, high } = one.differences.get('on')?.latenessP50 ?? {};
  const middle = one.arms.get('off')?.latenessP50.value ?? Number.NaN;
  const truth = middle * (BASE ** late - 1);
  expect(low).toBeGreaterThan(0);
  expect((low ?? 0) <= (value ?? 0) && (value ?? 0) <= (high ?? 0)).toBe(true);
  expect((low ?? 0) < truth && truth < (high ?? 0)).toBe(true);
});

test('of too few units there is no interval, and what was not measured has no value', () => {
  const { compared } = roll(1, 2 * FEWEST - 2, 16);
  expect(compared.differences.get('on')?.latenessP50).toMatchObject({
    value: expect.any(Number),
    low: null,
    high: null,
  });
  expect(compared.arms.get('on')?.queueP99).toEqual({ value: null, low: null, high: null });
  expect(roll(1, 2 * FEWEST, 16).compared.differences.get('on')?.latenessP50.low).toBeGreaterThan(0);
});

const rolled = (seed: number, agents: number, late: number) => {
  const { units, cells, compared } = roll(seed, agents, late);
  const arm = { agents: agents / 2, wakeups: 25 * agents };
  const arms = new Map([
    ['off', arm],
    ['on', arm],
  ]);
  const flag = 'taut.optimize-timer-slack';
  const collected: Collected = { flag, histograms: 'native', hosts: 1, unit: 'agent', units, cells, arms };
  return { prometheus: 'http://127.0.0.1:9090', seconds: 3_600, collected, baseline: 'off', ...compared };
};

test('a difference is said in words, or that it can not be told', () => {
  const lines = inWords(rolled(7, 40, -4));
  expect(lines[0]).toBe('flag taut.optimize-timer-slack, the last 1 h: 40 agents on 1 host (http://127.0.0.1:9090)');
  expect(lines).toContainEqual(expect.stringMatching(/^agents +20 +20$/));
  expect(lines).toContainEqual(
    expect.stringMatching(/^ {2}timers late, p50: [\d.]+ us less \([\d.]+ us to [\d.]+ us\)$/),
  );
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}waited for a CPU, p99: not measured$/));
  expect(lines.at(-1)).toMatch(/draws of agents\. 1 host is too few/);
  expect(inWords(rolled(3, 40, 0))).toContainEqual(
    expect.stringMatching(/^ {2}timers late, p50: can't tell \(from .* less to .* more\)$/),
  );
  expect(inWords(rolled(3, 6, 0))).toContainEqual(
    expect.stringMatching(/^ {2}timers late, p50: can't tell: 3 agents in an arm, 8 are wanted$/),
  );
});

test('the JSON has the figures of each arm, and of each difference what it says', () => {
  const { arms, differences, ...about } = document(rolled(7, 40, 16), new Date(0));
  expect(about).toMatchObject({ flag: 'taut.optimize-timer-slack', until: '1970-01-01T00:00:00.000Z', seconds: 3_600 });
  expect(about).toMatchObject({ unit: 'agent', hosts: 1, baseline: 'off', histograms: 'native' });
  expect(arms.map(({ variant, agents }) => [variant, agents])).toEqual([
    ['off', 20],
    ['on', 20],
  ]);
  expect(differences).toMatchObject([
    { variant: 'on', latenessP50: { verdict: 'more' }, queueP99: { value: null, verdict: "can't tell" } },
  ]);
});

test('variants are compared with what changes nothing, or with the first', () => {
  expect([baselineOf(['on', 'off']), baselineOf(['treated', 'control']), baselineOf(['b', 'a'])]).toEqual([
    'off',
    'control',
    'a',
  ]);
});
