/** The statistics of the benchmarks: what they find of a known ratio, on a machine that is made up. */
import { expect, test } from 'vitest';
import { seeded } from '../../src/util/seeded.ts';
import { estimate, inWords, type Pair, shuffled, tells } from '../support/pairs.ts';

/** Pairs of a true ratio on a machine whose speed drifts threefold, each measurement with noise of so much. */
function measured(ratio: number, noise: number, count: number, random: () => number): Pair[] {
  return Array.from({ length: count }, (_, i) => {
    const speed = 2 + Math.sin(i / 9);
    const one = () => speed * (1 + noise * (random() + random() + random() - 1.5));
    return [ratio * one(), one()];
  });
}

test('a difference far below the drift of the machine is found, and none where there is none', () => {
  const random = seeded(1);
  const dearer = estimate(measured(1.1, 0.03, 200, random), random);
  expect(tells(dearer)).toBe(true);
  expect(dearer.low).toBeGreaterThan(9);
  expect(dearer.high).toBeLessThan(11);
  const same = estimate(measured(1, 0.03, 200, random), random);
  expect(same.low).toBeLessThan(0);
  expect(same.high).toBeGreaterThan(0);
});

test('of a hundred intervals about 95 hold the truth', () => {
  const random = seeded(2);
  const held = Array.from({ length: 100 }, () => estimate(measured(1.05, 0.1, 60, random), random)).filter(
    ({ low, high }) => low <= 5 && high >= 5,
  );
  expect(held.length).toBeGreaterThanOrEqual(88);
  expect(held.length).toBeLessThan(100);
});

test('a measurement in ten that something else disturbed changes little', () => {
  const random = seeded(3);
  const pairs = measured(1.1, 0.03, 200, random);
  const disturbed = pairs.map(([a, b], i): Pair => (i % 10 === 0 ? [a * 20, b] : [a, b]));
  const [clean, found] = [estimate(pairs, random), estimate(disturbed, random)];
  expect(Math.abs(found.percent - clean.percent)).toBeLessThan(1);
  expect(tells(found)).toBe(true);
});

test('where the interval is wide, the words give no figure', () => {
  const random = seeded(4);
  expect(inWords(estimate(measured(1.1, 0.5, 10, random), random))).toMatch(/^can't tell \(-?[\d.]+ to [\d.]+\)$/);
  expect(inWords({ percent: 12.14, low: 11.4, high: 12.9 })).toBe('+12.1% (11.4 to 12.9)');
  expect(inWords({ percent: -0.52, low: -1, high: 0.1 })).toBe('-0.5% (-1.0 to 0.1)');
});

test('the order of turns is random, and the same for the same seed', () => {
  const items = ['a', 'b', 'c', 'd', 'e', 'f'];
  const orders = (seed: number) => {
    const random = seeded(seed);
    return Array.from({ length: 600 }, () => shuffled(items, random));
  };
  expect(orders(5)).toEqual(orders(5));
  expect(orders(5)).not.toEqual(orders(6));
  expect(orders(5)[0]?.toSorted()).toEqual(items);
  const first = Map.groupBy(orders(5), ([item]) => item);
  for (const item of items) expect(first.get(item)?.length).toBeGreaterThan(60);
});
