import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { countOf, ledger, untimed } from '../support/counting.ts';
import { type Program, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';

async function sleep(program: Program, n: number, us: number): Promise<void> {
  const before = program.lines.length;
  program.say(`sleep ${n} ${us}`);
  await until('the sleeps are done', () => program.lines.length > before);
}

test('counts exactly the timed sleeps that a process makes, in the class that the knob governs', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 250, 1_000);
  tracer.detach(program.pid); // what no program was run for shows at the latest now
  const [{ series } = { series: [] }] = tracer.collect();
  const missing = untimed(tracer, series);
  for (const quantity of ['timer.lateness', 'timer.slack_use', 'timer.overrun'] as const) {
    const n = countOf(series, quantity, { slackClass: 'reachable', tuned: false });
    expect(n).toBe(countOf(series, quantity));
    expect(n).toBeLessThanOrEqual(250);
    expect(n + missing).toBeGreaterThanOrEqual(250);
  }
});

test('sees every event that it recorded or discarded, and no other', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 300, 500);
  tracer.detach(program.pid);
  const { seen, decided } = ledger(tracer);
  expect(seen).toBeGreaterThanOrEqual(300);
  expect(decided).toBe(seen);
});

test('measures threads that are born after it was attached', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  const before = countOf(tracer.snapshot(program.pid)?.series ?? [], 'wakeup.run_queue_delay', { source: 'other' });
  program.say('thread');
  await program.line(/^done/);
  const after = countOf(tracer.snapshot(program.pid)?.series ?? [], 'wakeup.run_queue_delay', { source: 'other' });
  expect(after).toBeGreaterThan(before);
});

test('hands out what a detached process had counted once more, then forgets it', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await sleep(program, 20, 500);
  tracer.detach(program.pid);
  const [last] = tracer.collect();
  expect(countOf(last?.series ?? [], 'timer.lateness') + untimed(tracer, last?.series ?? [])).toBeGreaterThanOrEqual(
    20,
  );
  expect(tracer.collect()).toEqual([]);
  expect(tracer.snapshot(program.pid)).toBeUndefined();
});

test('counts nothing of a process that was not attached', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  await sleep(program, 50, 500);
  expect(tracer.counters().get('wakeup_seen')).toBe(0);
});
