import { expect, test } from 'vitest';
import { type CanaryWindow, judge, type Wake } from '../../src/tracer/canaryVerdict.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';
import { upperBound } from '../support/reference.ts';

/** Of those that are used here: 1 us to 1 ms. */
const BOUNDS = Array.from({ length: 90 }, (_, i) => ({ index: i - 160, upTo: Number(upperBound(i - 160)) }));

function bucketOf(ns: number): number {
  return BOUNDS.find(({ upTo }) => ns <= upTo)?.index ?? Number.NaN;
}

/** What the tracer's histogram of these durations is, by the reference that the kernel's is tested against. */
function histogram(ns: readonly number[]): ExpHistogram {
  const indexes = ns.map(bucketOf);
  const offset = ns.length > 0 ? Math.min(...indexes) : 0;
  const buckets = Array(ns.length > 0 ? Math.max(...indexes) - offset + 1 : 0).fill(0) as number[];
  for (const i of indexes) buckets[i - offset] = (buckets[i - offset] ?? 0) + 1;
  return { scale: 3, offset, buckets, zeroCount: 0, count: ns.length, sumNs: 0n, minNs: undefined, maxNs: undefined };
}

/** The clock is read 2 us after sched_switch; the sleeping call used 5 us of CPU. */
const wakes = (latencies: readonly number[]): Wake[] =>
  latencies.map((ns) => ({ lateNs: ns + 2_000, cpuNs: 5_000, sleeps: 1, preempted: 0 }));

const LATENCIES = Array.from({ length: 20 }, (_, i) => 12_000 + i * 1_700);

const window = (change: Partial<CanaryWindow> = {}): CanaryWindow => ({
  wakes: wakes(LATENCIES),
  counted: histogram(LATENCIES),
  unseen: 0,
  broken: 0,
  owed: 0,
  fromDeadline: true,
  ...change,
});

const disagreement = (of: CanaryWindow) => judge(of).disagreement;

test('two that have seen the same agree', () => {
  expect(disagreement(window())).toBeUndefined();
  expect(disagreement(window({ wakes: [], counted: histogram([]) }))).toBeUndefined();
});

test('two wakeups less, or one more, are a disagreement, unless the kernel ran no program for them', () => {
  const fewer = histogram(LATENCIES.slice(2));
  expect(disagreement(window({ counted: fewer }))).toMatch(/of 20 wakeups .* counted 18/);
  expect(disagreement(window({ counted: fewer, unseen: 2 }))).toBeUndefined();
  expect(disagreement(window({ counted: fewer, broken: 2 }))).toBeUndefined();
  expect(disagreement(window({ counted: fewer, unseen: 1, broken: 1 }))).toBeUndefined();
  expect(disagreement(window({ counted: histogram([...LATENCIES, 12_000]) }))).toMatch(/counted 21/);
});

test('one that is missing is owed: the next window says why, or it is a disagreement', () => {
  const fewer = histogram(LATENCIES.slice(1));
  expect(judge(window({ counted: fewer }))).toEqual({ disagreement: undefined, owed: 1 });
  expect(judge(window({ owed: 1, broken: 1 }))).toEqual({ disagreement: undefined, owed: 0 });
  expect(judge(window({ owed: 1, unseen: 1 }))).toEqual({ disagreement: undefined, owed: 0 });
  expect(judge(window({ owed: 1 })).disagreement).toMatch(/of 20 wakeups .* counted 20/);
  expect(judge(window({ owed: 1, counted: fewer, broken: 1 })).disagreement).toMatch(/of 20 wakeups .* counted 19/);
});

test('a tracer that discards most of them is found out, for whatever reason', () => {
  for (const count of [0, 1, 10, 13]) {
    const counted = histogram(LATENCIES.slice(0, count));
    expect(disagreement(window({ counted, broken: 1_000 }))).toMatch(new RegExp(`of 20 wakeups .* counted ${count}`));
  }
  expect(disagreement(window({ wakes: wakes([1]), counted: histogram([]) }))).toMatch(/of 1 wakeups .* counted 0/);
});

test('a sleep that never was, as its deadline had come, is no wakeup; one that was preempted may be', () => {
  const late = { lateNs: 9, cpuNs: 100, sleeps: 0, preempted: 0 };
  expect(disagreement(window({ wakes: [...wakes(LATENCIES), late] }))).toBeUndefined();
  const perhaps = { ...late, preempted: 1 };
  expect(disagreement(window({ wakes: [...wakes(LATENCIES), perhaps] }))).toBeUndefined();
  const oneMore = { wakes: [...wakes(LATENCIES), perhaps], counted: histogram([...LATENCIES, 12_000]) };
  expect(disagreement(window(oneMore))).toBeUndefined();
});

test('a tracer that counts the same wakeups as earlier or later than they can have been is found out', () => {
  const shifted = (ns: number) => window({ counted: histogram(LATENCIES.map((l) => l + ns)) });
  expect(disagreement(shifted(40_000))).toMatch(/at most .* by its own clock and more than/);
  expect(disagreement(shifted(-11_000))).toMatch(/at least .* by its own clock and at most/);
  expect(disagreement(window({ counted: histogram(LATENCIES.map(() => 1)) }))).toMatch(/quantile/);
});

test('where the tracer does not know the deadline, it may count less, and not more', () => {
  const wakeupOnly = { counted: histogram(LATENCIES.map(() => 3_000)), fromDeadline: false };
  expect(disagreement(window(wakeupOnly))).toBeUndefined();
  expect(disagreement(window({ ...wakeupOnly, counted: histogram(LATENCIES.map((l) => l + 60_000)) }))).toMatch(
    /more than/,
  );
});

test('one wakeup that was interrupted on its way out of the call is no disagreement', () => {
  const disturbed = wakes(LATENCIES).map((wake, i) => (i === 3 ? { ...wake, lateNs: wake.lateNs + 900_000 } : wake));
  expect(disagreement(window({ wakes: disturbed }))).toBeUndefined();
});
