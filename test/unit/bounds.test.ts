import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { upperBound } from '../support/reference.ts';

const ROOT = new URL('../..', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const constant = (name: string) =>
  Number(new RegExp(`#define ${name} \\(?(-?\\d+)`).exec(read('native/include/taut.h'))?.[1]);

test('the table of bucket bounds in the kernel is exact', () => {
  const table = /bound_ns\[TAUT_BUCKETS \+ 1\] = \{([\s\S]*?)\};/.exec(read('native/bpf/bounds.h'))?.[1] ?? '';
  const bounds = (table.replace(/\/\*.*?\*\//g, '').match(/\d+/g) ?? []).map((text) => BigInt(text.replace('ULL', '')));
  const first = constant('TAUT_BUCKET_MIN');
  expect(bounds.length).toBe(constant('TAUT_BUCKETS') + 1);
  expect(bounds[0]).toBe(0n);
  for (const [i, bound] of bounds.slice(1).entries()) expect(bound, `bucket ${first + i}`).toBe(upperBound(first + i));
});

test('the first bucket holds 1 ns and the last 2^40 ns', () => {
  const first = constant('TAUT_BUCKET_MIN');
  const last = first + constant('TAUT_BUCKETS') - 1;
  expect([upperBound(first - 1), upperBound(first)]).toEqual([0n, 1n]);
  expect(upperBound(last - 1) < 1n << 40n && upperBound(last) >= 1n << 40n).toBe(true);
});
