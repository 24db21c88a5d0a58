/** The tracer's own bucket function, run in the kernel, against the definition. */
import { afterAll, expect, test } from 'vitest';
import { addon, bpfObjectPath, check } from '../../src/native.ts';
import { upperBound } from '../support/reference.ts';

const { bucketMin, buckets } = addon().layout;
const bounds = Array.from({ length: buckets }, (_, i) => upperBound(bucketMin + i));
const kernel = new (addon().BpfObject)();
check(kernel.open(bpfObjectPath('buckets')), 'open');
check(kernel.load(), 'load');
afterAll(() => kernel.close());

/** The place of a value among the bounds; `buckets` when it is beyond the last. */
function expected(ns: bigint): number {
  let low = 0;
  let high = buckets;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ns <= (bounds[middle] ?? 0n)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @returns the values that the kernel puts elsewhere, with both places. */
function differences(values: readonly bigint[]): string[] {
  const pairs = new BigUint64Array(2 * values.length);
  for (const [i, ns] of values.entries()) pairs[2 * i] = ns;
  check(kernel.testRun('ask_bucket', pairs), 'run the program');
  return values.flatMap((ns, i) => {
    const [is, shouldBe] = [Number(pairs[2 * i + 1]), expected(ns)];
    return is === shouldBe ? [] : [`${ns} ns: bucket ${is}, not ${shouldBe}`];
  });
}

const around = (edge: bigint) => [edge - 1n, edge, edge + 1n].filter((ns) => ns >= 1n && ns < 1n << 64n);

test('every power of two, and a nanosecond to either side', () => {
  const edges = Array.from({ length: 64 }, (_, i) => 1n << BigInt(i));
  expect(differences([...edges.flatMap(around), (1n << 64n) - 1n])).toEqual([]);
});

test('every edge of a bucket, and a nanosecond to either side', () => {
  expect(differences(bounds.flatMap(around))).toEqual([]);
});

test('a million random values of every magnitude', () => {
  const random = () => {
    const magnitude = BigInt(Math.floor(Math.random() * 64));
    return (1n << magnitude) + (BigInt(Math.floor(Math.random() * 2 ** 52)) << magnitude) / (1n << 52n);
  };
  for (let i = 0; i < 10; i++) expect(differences(Array.from({ length: 100_000 }, random))).toEqual([]);
});
