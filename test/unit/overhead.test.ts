import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVERYTHING, MAX_LEVEL, nextOverhead, type OverheadState, shedAt } from '../../src/tracer/overhead.ts';

/** The levels of a run under a load whose cost at full detail is given for each look. */
function run(loads: readonly number[], limit: number, costAt: (load: number, level: number) => number): number[] {
  let state: OverheadState = EVERYTHING;
  return loads.map((load) => {
    state = nextOverhead(state, costAt(load, state.level), limit);
    return state.level;
  });
}

/** Each step saves half of what an agent's events cost, which is the most that a step can save. */
const halved = (load: number, level: number) => load / 2 ** level;

test('sheds detail first, then half of the wakeups, then half of those', () => {
  expect([0, 1, 2, 3, MAX_LEVEL].map(shedAt)).toEqual([
    undefined,
    { detail: false, factor: 1 },
    { detail: false, factor: 2 },
    { detail: false, factor: 4 },
    { detail: false, factor: 1_024 },
  ]);
});

test('a cost below the limit changes nothing, one above it sheds at once', () => {
  expect(nextOverhead(EVERYTHING, 0.01, 0.01)).toEqual(EVERYTHING);
  expect(nextOverhead(EVERYTHING, 0.011, 0.01).level).toBe(1);
  expect(nextOverhead(EVERYTHING, 0.08, 0.01).level).toBe(3);
  expect(nextOverhead(EVERYTHING, 1e9, 1e-9).level).toBe(MAX_LEVEL);
});

test('a heavy load that goes away is recorded in full again, after three quiet looks and not before', () => {
  const levels = run([...Array(10).fill(0.1), ...Array(40).fill(0.001)], 0.01, halved);
  expect(Math.max(...levels)).toBeGreaterThanOrEqual(3);
  expect(levels.at(-1)).toBe(0);
  expect(levels.slice(10, 13).map((level) => level > 0)).toEqual([true, true, false]);
  expect(levels.slice(12)).toEqual(Array(38).fill(0));
});

test('a load that goes down a little is given back as much as stays below the limit, and no more', () => {
  const levels = run([...Array(10).fill(0.1), ...Array(40).fill(0.03)], 0.01, halved);
  expect(levels.at(-1)).toBe(2);
  expect(halved(0.03, 2)).toBeLessThan(0.01);
});

test('under a steady load it comes to rest, whatever the load: no level is left and taken again', () => {
  // What a step saves is at most half, and may be as little as nothing.
  const load = fc.double({ min: 1e-6, max: 1, noNaN: true });
  const saved = fc.double({ min: 0, max: 0.5, noNaN: true });
  fc.assert(
    fc.property(load, load, saved, (cost, limit, part) => {
      const levels = run(Array(100).fill(cost), limit, (full, level) => full * (1 - part) ** level);
      expect(levels).toEqual(levels.toSorted((a, b) => a - b));
      expect(new Set(levels.slice(20)).size).toBe(1);
    }),
  );
});
