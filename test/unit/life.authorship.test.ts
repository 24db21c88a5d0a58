/** A value is no signature: who was not born with taut's value, and has it, has chosen it. */
import { expect, test } from 'vitest';
import { restoreEntries } from '../../src/actuator/restore.ts';
import { Life, patience, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

/** What a later taut does with the record of one that was killed. */
function restoreAsAnother(life: Life): void {
  restoreEntries(life.ledger, [patience], life.ledger.entries(), { files: life.host });
}

/** Time passes: the clock of the host is that of its births. */
function wait({ host }: Life): void {
  host.start(['/bin/true']);
}

test('a child that chooses the very value of its agent keeps it, while its agent lives and when all is put back', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  await life.hear();
  expect(life.host.value(child)).toBe(ORIGINAL);
  life.host.set(child, TARGET);
  for (let i = 0; i < 3; i++) await life.reconcile();
  expect(life.host.value(child)).toBe(TARGET);
  life.detach();
  expect(life.host.changed()).toEqual([]);
});

test('so does a thread of a child, and a child of a child', async () => {
  using life = new Life();
  const child = life.host.fork(await life.run('bot'));
  const [thread, grandchild] = [life.host.thread(child), life.host.fork(child)];
  await life.hear();
  for (const tid of [thread, grandchild]) life.host.set(tid, TARGET);
  await life.reconcile();
  life.detach();
  expect([thread, grandchild].map((tid) => life.host.value(tid))).toEqual([TARGET, TARGET]);
});

test('a child whose birth was not told is put back at the next look, and once', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.exec(child, ['/bin/cat']); // else the look at every process finds an agent
  life.host.loseEvents();
  await life.reconcile();
  expect(life.host.value(child)).toBe(ORIGINAL);
  life.host.set(child, TARGET);
  await life.reconcile();
  life.detach();
  expect(life.host.value(child)).toBe(TARGET);
});

test.each(['contain', 'inherit'] as const)(
  'a child that was there before its agent was tuned has inherited nothing of taut (%s)',
  async (descendants) => {
    using life = new Life({ descendants });
    const pid = life.host.start(['/bin/cat']);
    const child = life.host.fork(pid);
    life.host.set(child, TARGET);
    wait(life);
    life.host.exec(pid, ['/bin/bot']);
    await life.hear();
    await life.reconcile();
    expect(life.host.values(pid)).toEqual([TARGET]);
    restoreAsAnother(life);
    expect(life.host.changed()).toEqual([]);
    expect(life.host.value(child)).toBe(TARGET);
  },
);

test('a thread of the agent that had the value before is left out, also when it is put back by another', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/cat']);
  const own = life.host.thread(pid);
  life.host.set(own, TARGET);
  wait(life);
  life.host.rename(pid, 'bot');
  await life.hear();
  expect(life.host.values(pid)).toEqual([TARGET, TARGET]);
  restoreAsAnother(life);
  expect(life.host.values(pid)).toEqual([ORIGINAL, TARGET]);
});

test('a child that was born real-time is put back when it is real-time no more, also by another taut', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.setPolicy(child, 'fifo');
  await life.hear();
  await life.reconcile();
  life.host.setPolicy(child, 'other');
  restoreAsAnother(life);
  expect(life.host.value(child)).toBe(ORIGINAL);
});

test('a child that was real-time for a while has again what it was born with, and is put back again', async () => {
  using life = new Life();
  const child = life.host.fork(await life.run('bot'));
  await life.hear();
  life.host.setPolicy(child, 'fifo');
  await life.reconcile();
  life.host.setPolicy(child, 'other');
  life.host.set(child, TARGET); // as the kernel does
  await life.reconcile();
  expect(life.host.value(child)).toBe(ORIGINAL);
});

test('what a killed taut has looked at is no heir for the taut that restores; what was born since is one', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const chosen = life.host.fork(pid);
  await life.hear();
  wait(life);
  await life.reconcile();
  life.host.set(chosen, TARGET);
  const late = life.host.fork(pid);
  restoreAsAnother(life);
  expect([pid, chosen, late].map((id) => life.host.value(id))).toEqual([ORIGINAL, TARGET, ORIGINAL]);
});

test('while nothing is born nothing is written', async () => {
  using life = new Life();
  const child = life.host.fork(await life.run('bot'));
  await life.hear();
  wait(life);
  await life.reconcile();
  const [before] = life.ledger.entries();
  wait(life);
  await life.reconcile();
  expect(life.ledger.entries()).toEqual([before]);
  expect(before?.heirsFrom).toBeGreaterThan(0);
  expect(life.host.value(child)).toBe(ORIGINAL);
});

test('a child that was an agent itself for a while is its own master when it is let go, and so is a child of it', async () => {
  using life = new Life({ rules: '[{ id: bots, program: [bot, worker] }]' });
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.exec(child, ['/bin/worker']);
  life.host.loseEvents();
  await life.reconcile();
  expect(life.pids()).toEqual([pid, child]);
  const grandchild = life.host.fork(child);
  life.host.exec(grandchild, ['/bin/cat']);
  await life.hear();
  life.host.exec(child, ['/bin/cat']);
  await life.hear();
  expect(life.pids()).toEqual([pid]);
  expect([child, grandchild].map((id) => life.host.value(id))).toEqual([ORIGINAL, ORIGINAL]);
  for (const id of [child, grandchild]) life.host.set(id, TARGET);
  await life.reconcile();
  expect([child, grandchild].map((id) => life.host.value(id))).toEqual([TARGET, TARGET]);
});
