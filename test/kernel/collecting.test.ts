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

test('an agent that goes, or comes again, while a collection is read is in it once, and another that came is in the next', async () => {
  using tracer = new Tracer();
  await using stack = new AsyncDisposableStack();
  const all: { pid: number; name: string; createdAtMs: number }[] = [];
  for (let n = 0; n < 4; n++) {
    const program = stack.use(new Program(passes, ['1']));
    await program.line(/^ready/);
    all.push({ pid: program.pid, name: 'passes', createdAtMs: 0 });
    if (n < 3) tracer.attach({ pid: program.pid, name: 'passes', createdAtMs: 0 });
    if (n < 3) await tell(program, '100');
  }
  const [first, gone, again, late] = all;
  if (!first || !gone || !again || !late) throw new Error('not all have started');
  const collection = tracer.collecting(true);
  const read = [collection.next().value];
  tracer.detach(gone.pid);
  tracer.detach(again.pid);
  tracer.attach(again);
  tracer.attach(late);
  read.push(...collection);
  const pids = read.map((snapshot) => snapshot && 'pid' in snapshot && snapshot.pid);
  expect(pids).toEqual([first.pid, gone.pid, again.pid]);
  for (const snapshot of read) expect(snapshot?.series).not.toEqual([]);
  tracer.exported();
  // What had gone after the list was made comes once more: it is not known to have been exported.
  const next = tracer.collect(true).map((snapshot) => 'pid' in snapshot && snapshot.pid);
  expect(next.toSorted()).toEqual(all.map(({ pid }) => pid).toSorted());
});
