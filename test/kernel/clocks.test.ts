/**
 * What the tracer says of a process beside what the process says of itself, by its own deadlines and its own clock.
 *
 * The process's figure of wait i is v(i) = l(i) + r(i): the tracer's wakeup latency l(i), from the deadline to being
 * switched in, and then the way out of the system call, r(i) > 0. So of the sorted values, v(k) > l(k) for every k. The
 * tracer knows l(k) by its bucket (low, high]: hence v(k) > low. And v(k) <= high + R where R bounds the r(i): the
 * process measures R beforehand as what calls take that need not wait, at their 99th percentile. As caches are cold after
 * a wait and warm in that loop, one bucket more is allowed. Waits that the tracer has discarded, m of them, may be any of
 * the process's values: the first holds for v(k + m), the second for v(k).
 */
import { expect, test } from 'vitest';
import { add, empty } from '../../src/tracer/arithmetic.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { leftOut, untimed } from '../support/counting.ts';
import { Program } from '../support/program.ts';
import { upperBound } from '../support/reference.ts';

const clocks = compiled('clocks');
const WAITS = 2_000;
/** Wakeups without a timer: by a word on standard input. */
const OTHERS = 2;

test('its count is the same, and its quantiles are in the same bucket but for the way out of the system call', async () => {
  using tracer = new Tracer();
  await using program = new Program(clocks, []);
  const R = Number(/\d+/.exec(await program.line(/^return/))?.[0]);
  tracer.attach({ pid: program.pid, name: 'clocks', createdAtMs: 0 });
  await tell(program, `${WAITS} 500`);
  tracer.detach(program.pid);
  const own = (await program.line(/^late/))
    .split(' ')
    .slice(1)
    .map(Number)
    .toSorted((a, b) => a - b);
  const all = tracer.collect().flatMap(({ series }) => series);
  const histogram = all
    .filter(({ quantity, source }) => quantity === 'wakeup.latency' && source === 'timer')
    .reduce((sum, series) => add(sum, series.histogram), empty(3));

  expect(own).toHaveLength(WAITS);
  // Each that is not in the histogram is in the ledger. (That may hold a wakeup by the word from outside as well.)
  expect(histogram.count).toBeLessThanOrEqual(WAITS);
  expect(histogram.count + untimed(tracer, all)).toBeGreaterThanOrEqual(WAITS);
  expect(histogram.count + leftOut(tracer)).toBeLessThanOrEqual(WAITS + OTHERS);
  const missing = WAITS - histogram.count;
  for (const q of [0.5, 0.99]) {
    const rank = Math.ceil(q * histogram.count);
    let [bucket, below] = [0, histogram.zeroCount];
    while (below < rank) below += histogram.buckets[bucket++] ?? 0;
    const index = histogram.offset + bucket - 1;
    expect(own[rank - 1 + missing]).toBeGreaterThan(Number(upperBound(index - 1)));
    expect(own[rank - 1]).toBeLessThanOrEqual(Number(upperBound(index + 1)) + R);
  }
});
