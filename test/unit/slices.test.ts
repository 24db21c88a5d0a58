/** What other work waits for while long work goes on: counted in steps of a clock that these tests move. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { Slices } from '../../src/proc/slices.ts';
import { Life } from '../support/life.ts';

afterEach(() => vi.restoreAllMocks());

let clockMs = 1e12;

/** Each look at the clock takes a millisecond, and it never goes back. @returns how often it was looked at. */
function countingClock(): () => number {
  const fromMs = clockMs;
  vi.spyOn(performance, 'now').mockImplementation(() => clockMs++);
  return () => clockMs - fromMs;
}

/** By how much a count grows at most between two turns of the event loop, while `work` goes on. */
async function mostInATurn(work: () => Promise<unknown>, count: () => number): Promise<number> {
  let isDone = false;
  let most = 0;
  let before = count();
  void work().finally(() => {
    isDone = true;
  });
  for (; !isDone; before = count()) {
    await setImmediate();
    most = Math.max(most, count() - before);
  }
  return most;
}

async function steps(n: number): Promise<void> {
  const slices = new Slices();
  for (let i = 0; i < n; i++) await slices.next();
}

test('twenty long works at a time let others wait for no longer than one does', async () => {
  const looks = countingClock();
  const alone = await mostInATurn(() => steps(100), looks);
  const together = await mostInATurn(() => Promise.all(Array.from({ length: 20 }, () => steps(100))), looks);
  expect(alone).toBeLessThan(20);
  expect(together).toBeLessThan(20 + 20); // at the start each looks once
});

test('the periodic check of hundreds of agents lets other work run in between', async () => {
  using life = new Life();
  for (let i = 0; i < 300; i++) await life.run('bot');
  expect(life.pids()).toHaveLength(300);
  countingClock();
  const read = vi.spyOn(life.host, 'readTextAt');
  expect(
    await mostInATurn(
      () => life.reconcile(),
      () => read.mock.calls.length,
    ),
  ).toBeLessThan(100);
  expect(read.mock.calls.length).toBeGreaterThanOrEqual(300);
});

test('an agent that ends while the check goes on is let go once', async () => {
  using life = new Life();
  const pids = [];
  for (let i = 0; i < 50; i++) pids.push(await life.run('bot'));
  countingClock();
  const checked = life.reconcile();
  for (const pid of pids.slice(10)) life.host.end(pid);
  await life.hear();
  await checked;
  expect(life.pids()).toEqual(pids.slice(0, 10));
  expect(life.failures).toEqual([]);
});
