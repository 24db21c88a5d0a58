import fc from 'fast-check';
import { expect, test } from 'vitest';
import { add, empty, quantile, subtract } from '../../src/tracer/arithmetic.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';

const SCALE = 3;

/** A histogram of whole nanoseconds, made the slow way: one value at a time. */
function of(values: readonly number[]): ExpHistogram {
  return values.reduce((sum, ns) => add(sum, one(ns)), empty(SCALE));
}

function one(ns: number): ExpHistogram {
  const sumNs = BigInt(ns);
  const common = { scale: SCALE, count: 1, sumNs, minNs: sumNs, maxNs: sumNs };
  if (ns === 0) return { ...common, zeroCount: 1, offset: 0, buckets: [] };
  return { ...common, zeroCount: 0, offset: Math.ceil(Math.log2(ns / 1e9) * 2 ** SCALE) - 1, buckets: [1] };
}

const values = fc.array(fc.nat({ max: 10 ** 9 }), { maxLength: 50 });

test('what is added and then subtracted is gone', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const { minNs: _min, maxNs: _max, ...left } = subtract(add(of(a), of(b)), of(b));
      const { minNs: _min2, maxNs: _max2, ...expected } = of(a);
      expect(left).toEqual(expected);
    }),
  );
});

test('adding is the same in any order, and keeps the extremes', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(add(of(a), of(b))).toEqual(of([...b, ...a]));
    }),
  );
});

test('a quantile lies in the bucket of the value of that rank', () => {
  const base = 2 ** (2 ** -SCALE);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 10 ** 9 }), { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (all, q) => {
        const sorted = all.toSorted((x, y) => x - y);
        const ranked = (sorted[Math.max(0, Math.ceil(q * all.length) - 1)] ?? 0) / 1e9;
        const found = quantile(of(all), q) ?? 0;
        expect(found / ranked).toBeGreaterThan(1 / base / 1.0001);
        expect(found / ranked).toBeLessThan(base * 1.0001);
      },
    ),
  );
});

test('an empty histogram has no quantile, and one of zeros has 0', () => {
  expect(quantile(empty(SCALE), 0.5)).toBeUndefined();
  expect(quantile(of([0, 0]), 0.99)).toBe(0);
});

test('histograms of different scales are not mixed', () => {
  expect(() => add(empty(3), empty(2))).toThrow(RangeError);
});
