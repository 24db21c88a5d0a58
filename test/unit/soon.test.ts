/** When a collection is made because agents have come or gone. The clock is made up. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Soon } from '../../otel/soon.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Each collection takes so much CPU time. `exports`: whether the backend takes it. */
class Bench {
  cpuMs = 0;
  collections = 0;
  exports = true;
  readonly soon: Soon;

  constructor(costMs = 1) {
    this.soon = new Soon({
      cpuMs: () => this.cpuMs,
      collect: async () => {
        this.cpuMs += costMs;
        this.collect();
      },
    });
  }

  /** Also of the interval. */
  collect(): void {
    this.collections++;
    this.soon.collected();
    if (this.exports) this.soon.exported();
  }

  /** Agents come or go every ten milliseconds. */
  async storm(seconds: number): Promise<void> {
    for (let n = 0; n < 100 * seconds; n++) {
      this.soon.ask();
      await vi.advanceTimersByTimeAsync(10);
    }
  }
}

test('one collection tells of all that came or went within a second', async () => {
  const bench = new Bench();
  for (let n = 0; n < 50; n++) bench.soon.ask();
  await vi.advanceTimersByTimeAsync(999);
  expect(bench.collections).toBe(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bench.collections).toBe(1);
});

test('a storm of agents has one a second, and fewer where they cost more than a fiftieth of a CPU', async () => {
  const cheap = new Bench();
  await cheap.storm(10);
  expect(cheap.collections).toBeLessThanOrEqual(10);
  expect(cheap.collections).toBeGreaterThan(7);
  const dear = new Bench(200);
  await dear.storm(60);
  expect(dear.collections).toBeGreaterThan(1);
  expect(dear.cpuMs).toBeLessThanOrEqual((60_000 + 10_000) / 50);
});

test('a collection of the interval makes the next one superfluous', async () => {
  const bench = new Bench();
  bench.soon.ask();
  await vi.advanceTimersByTimeAsync(500);
  bench.collect();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bench.collections).toBe(1);
});

test('while a collection is not exported there is no other, and then one that was asked for meanwhile', async () => {
  const bench = new Bench();
  bench.exports = false;
  await bench.storm(5);
  expect(bench.collections).toBe(1);
  bench.exports = true;
  bench.soon.exported();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(bench.collections).toBe(2);
});

test('a collection that fails is no end of them, and after the end there is none', async () => {
  let asked = 0;
  const soon = new Soon({
    collect: async () => {
      asked++;
      throw new Error('no');
    },
  });
  for (let n = 1; n <= 2; n++) {
    soon.ask();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(n);
  }
  soon.ask();
  soon.end();
  soon.ask();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toBe(2);
});
