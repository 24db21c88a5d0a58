/** The ledger of wakeups adds up whenever it is read, also while wakeups are being decided. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { ledger } from '../support/counting.ts';
import { Program, switches } from '../support/program.ts';

const passes = compiled('passes');

test('seen = recorded + discarded at every one of a thousand collections under load', async () => {
  using tracer = new Tracer();
  await using program = new Program(passes, ['4']);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: 'passes', createdAtMs: 0 });
  let isDone = false;
  const load = tell(program, '100000').then(() => (isDone = true));
  const instants = new Set<number>();
  let collections = 0;
  while (!isDone || collections < 1_000) {
    const { seen, decided } = ledger(tracer);
    expect(decided).toBe(seen);
    instants.add(seen);
    collections++;
    await setImmediate();
  }
  await load;
  expect(instants.size).toBeGreaterThan(500);
});

test('no sleep of a thread is without a wakeup that was seen', async () => {
  using tracer = new Tracer();
  await using program = new Program(passes, ['4']);
  await program.line(/^ready/);
  const before = switches(program.pid).voluntary;
  tracer.attach({ pid: program.pid, name: 'passes', createdAtMs: 0 });
  await tell(program, '10000');
  tracer.detach(program.pid);
  const { seen } = ledger(tracer);
  // Each of its 9 threads may be asleep now: one sleep that has no wakeup yet.
  expect(seen).toBeGreaterThanOrEqual(switches(program.pid).voluntary - before - 9);
});
