import { expect, test } from 'vitest';
import type { Quantity, Series } from '../../src/tracer/series.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { Program, until } from './program.ts';
import { FIXTURES } from './taut.ts';

async function sleeper(): Promise<Program> {
  const program = new Program('python3', [`${FIXTURES}/sleeper.py`]);
  await program.line(/^ready/);
  return program;
}

async function sleep(program: Program, n: number, us: number): Promise<void> {
  const before = program.lines.length;
  program.say(`sleep ${n} ${us}`);
  await until('the sleeps are done', () => program.lines.length > before);
}

function count(series: readonly Series[], quantity: Quantity, match: Partial<Series> = {}): number {
  return series
    .filter((s) => s.quantity === quantity && Object.entries(match).every(([k, v]) => s[k as keyof Series] === v))
    .reduce((sum, s) => sum + s.histogram.count, 0);
}

test('counts exactly the timed sleeps that a process makes, in the class that the knob governs', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 250, 1_000);
  tracer.detach(program.pid); // what no program was run for shows at the latest now
  const [{ series } = { series: [] }] = tracer.collect();
  // A kernel may run no program in the context of processes that it protects: those wakeups are counted as unseen.
  const seen = 250 - (tracer.counters().get('discard_unseen') ?? 0);
  for (const quantity of ['timer.lateness', 'timer.slack_use', 'timer.overrun'] as const)
    expect(count(series, quantity, { slackClass: 'reachable', tuned: false })).toBe(seen);
  expect(count(series, 'timer.lateness')).toBe(seen);
});

test('sees every event that it recorded or discarded, and no other', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 300, 500);
  tracer.detach(program.pid);
  const counters = tracer.counters();
  const sum = (pattern: RegExp) => [...counters].reduce((n, [name, value]) => (pattern.test(name) ? n + value : n), 0);
  expect(sum(/^timer_seen$|^discard_unseen$/)).toBe(300);
  expect(sum(/^timer_recorded$|^discard_timer_/)).toBe(sum(/^timer_seen$/));
  expect(sum(/^wakeup_recorded$|^discard_(?!timer_)/)).toBe(sum(/^wakeup_seen$/));
});

test('splits lateness into slack use and overrun without losing a nanosecond', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 200, 1_000);
  const { series } = tracer.snapshot(program.pid) ?? { series: [] };
  const sum = (quantity: Quantity) =>
    series.filter((s) => s.quantity === quantity).reduce((total, s) => total + s.histogram.sumNs, 0n);
  expect(sum('timer.lateness')).toBeGreaterThan(0n);
  expect(sum('timer.slack_use') + sum('timer.overrun')).toBe(sum('timer.lateness'));
});

test('measures threads that are born after it was attached', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  const before = count(tracer.snapshot(program.pid)?.series ?? [], 'wakeup.run_queue_delay', { source: 'other' });
  program.say('thread');
  await program.line(/^done/);
  const after = count(tracer.snapshot(program.pid)?.series ?? [], 'wakeup.run_queue_delay', { source: 'other' });
  expect(after).toBeGreaterThan(before);
});

test('hands out what a detached process had counted once more, then forgets it', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 20, 500);
  tracer.detach(program.pid);
  const [last] = tracer.collect();
  expect(count(last?.series ?? [], 'timer.lateness') + (tracer.counters().get('discard_unseen') ?? 0)).toBe(20);
  expect(tracer.collect()).toEqual([]);
  expect(tracer.snapshot(program.pid)).toBeUndefined();
});

test('counts nothing of a process that was not attached', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  await sleep(program, 50, 500);
  expect(tracer.counters().get('wakeup_seen')).toBe(0);
});
