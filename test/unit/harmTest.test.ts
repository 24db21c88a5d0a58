/** The test for harm: its error rate, by the law that it rests on and by simulations; how soon it finds harm. */
import { expect, test } from 'vitest';
import { type Block, evidenceOfHarm, intervalOf, median, WINDOWS } from '../../src/gate/harmTest.ts';
import { seeded } from '../../src/util/seeded.ts';

const ERROR_RATE = 0.01;
const BLOCKS = 30;
const SIMULATIONS = 1_000;

/**
 * A noisy machine: what a window shows depends on the one before, changes by its tenfold when something else begins or ends, and
 * grows all the time.
 */
function* noisy(next: () => number): Generator<number, never> {
  let [level, load] = [0, 1];
  for (let i = 0; ; i++) {
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    level = 0.8 * level + 0.4 * normal;
    if (next() < 0.1) load = load === 1 ? 10 : 1;
    yield load * Math.exp(level + i / 200);
  }
}

/** A trial: tuned windows show `factor` times what they would have shown. */
function* trial(next: () => number, factor: number): Generator<Block> {
  const machine = noisy(next);
  for (;;) {
    const lot = Math.floor(next() * WINDOWS);
    const windows = Array.from({ length: WINDOWS }, (_, i) => (i === lot ? 1 : factor) * machine.next().value);
    yield { held: windows[lot] ?? Number.NaN, tuned: windows.toSpliced(lot, 1) };
  }
}

/** The first blocks of a trial. */
function blocksOf(next: () => number, factor: number, n: number): Block[] {
  const blocks = trial(next, factor);
  return Array.from({ length: n }, () => blocks.next().value as Block);
}

/** After how many blocks harm is found; undefined: not in a whole trial. */
function found(next: () => number, factor: number, allowed: (value: number) => number): number | undefined {
  const blocks: Block[] = [];
  for (const block of trial(next, factor)) {
    blocks.push(block);
    if (evidenceOfHarm(blocks, allowed) >= 1 / ERROR_RATE) return blocks.length;
    if (blocks.length === BLOCKS) return undefined;
  }
  return undefined;
}

const simulated = (factor: number, allowed = (value: number) => value) =>
  Array.from({ length: SIMULATIONS }, (_, seed) => found(seeded(seed), factor, allowed));

test('the bets are fair: over the four lots that a block may have, they win nothing, also where what is allowed is reached', () => {
  const next = seeded(7);
  for (let i = 0; i < 200; i++) {
    const windows = Array.from({ length: WINDOWS }, next);
    const past = blocksOf(next, 2, i % 5);
    const mean = (factor: number, allowed: (value: number) => number) => {
      const lots = windows.map((held, lot) => ({ held, tuned: windows.toSpliced(lot, 1).map((v) => v * factor) }));
      return lots.reduce((sum, lot) => sum + evidenceOfHarm([...past, lot], allowed), 0) / WINDOWS;
    };
    expect(mean(1, (value) => value)).toBeCloseTo(
      evidenceOfHarm(past, (value) => value),
      9,
    );
    expect(mean(1.5, (value) => value * 1.5)).toBeLessThanOrEqual(
      evidenceOfHarm(past, (value) => value * 1.5) * (1 + 1e-9),
    );
    expect(mean(1.2, (value) => value * 1.5)).toBeLessThanOrEqual(
      evidenceOfHarm(past, (value) => value * 1.5) * (1 + 1e-9),
    );
  }
});

test('windows that are all equal are no evidence', () => {
  const blocks = Array.from({ length: BLOCKS }, () => ({ held: 0, tuned: [0, 0, 0] }));
  expect(evidenceOfHarm(blocks, (value) => value)).toBeLessThan(1);
});

test(`of ${SIMULATIONS} trials in which tuning does nothing, no more end with harm than the error rate says`, () => {
  const wrong = simulated(1).filter((block) => block !== undefined).length;
  console.log(`A/A: ${wrong} of ${SIMULATIONS} trials of ${BLOCKS} blocks; the stated rate is ${ERROR_RATE}`);
  expect(wrong / SIMULATIONS).toBeLessThanOrEqual(ERROR_RATE);
});

test('the same where tuning makes everything worse by what is allowed', () => {
  const wrong = simulated(1.5, (value) => value * 1.5).filter((block) => block !== undefined).length;
  console.log(`at the limit: ${wrong} of ${SIMULATIONS}`);
  expect(wrong / SIMULATIONS).toBeLessThanOrEqual(ERROR_RATE);
});

test('harm is found where half as much again is allowed: ten times, four times and twice as much, the sooner the more', () => {
  for (const [factor, least, blocks] of [
    [10, 0.99, 7],
    [4, 0.99, 12],
    [2, 0.15, Number.POSITIVE_INFINITY],
  ] as const) {
    const after = simulated(factor, (value) => value * 1.5);
    const when = after.map((block) => block ?? Number.POSITIVE_INFINITY);
    const share = after.filter((block) => block !== undefined).length / SIMULATIONS;
    console.log(`${factor} times worse: found in ${(100 * share).toFixed(1)}% of trials, by block ${median(when)}`);
    expect(share).toBeGreaterThanOrEqual(least);
    expect(median(when)).toBeLessThanOrEqual(blocks);
  }
});

test('the interval holds the factor as often as it says, and names harm that was found', () => {
  const outside = Array.from({ length: 500 }, (_, seed) => {
    const { low, high } = intervalOf(blocksOf(seeded(seed), 3, 20), ERROR_RATE);
    return low > 3 || high < 3;
  }).filter(Boolean);
  expect(outside.length / 500).toBeLessThanOrEqual(2 * ERROR_RATE);
  const sure = Array.from({ length: 12 }, (_, i) => ({ held: 10 + i, tuned: [41, 42, 43] }));
  const { low, high } = intervalOf(sure, ERROR_RATE);
  expect([low > 1.9, low < 4.3, high < 4.4, high >= low]).toEqual([true, true, true, true]);
  expect(intervalOf([], ERROR_RATE)).toEqual({ low: 0, high: Number.POSITIVE_INFINITY });
});

test('the median is the value in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
});
