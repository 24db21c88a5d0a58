/** Which value the threads of an agent have: as the gate decides, as the kernel allows, and as others set it. */
import { expect, test } from 'vitest';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

const outcomes = (life: Life, pid: number) =>
  [...(life.agent(pid)?.tunings[0]?.threads.values() ?? [])].map(({ outcome }) => outcome);

/** An agent of two threads. */
async function botOfTwo(life: Life): Promise<{ pid: number; tid: number }> {
  const pid = life.host.start(['/bin/bot']);
  const tid = life.host.thread(pid);
  await life.hear();
  return { pid, tid };
}

test('as the gate shuts every thread gets its own original, and as it opens again each is tuned', async () => {
  using life = new Life();
  const { pid, tid } = await botOfTwo(life);
  life.host.start(['/bin/cat']);
  await life.decide(null);
  expect(life.host.values(pid)).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.ledger.count()).toBe(0);
  life.host.set(tid, 9_000n);
  await life.decide(7n);
  expect(life.host.values(pid)).toEqual([7n, 7n]);
  await life.decide(5n);
  expect(life.host.values(pid)).toEqual([5n, 5n]);
  expect(life.events.map(({ event }) => event)).toEqual(['attach', 'revert', 'tune', 'tune']);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL, 9_000n]);
});

test('a gate that was shut from the beginning has nothing written, and threads born meanwhile are tuned when it opens', async () => {
  using life = new Life();
  life.gate.target = null;
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.thread(pid);
  await life.hear();
  await life.reconcile();
  expect(life.host.changed()).toEqual([]);
  expect(life.ledger.count()).toBe(0);
  await life.decide(TARGET);
  expect(life.host.values(pid)).toEqual([TARGET, TARGET]);
  expect(life.host.value(child)).toBe(ORIGINAL);
});

test('a gate that fails for one agent is asked about the others, and changes nothing of that one', async () => {
  using life = new Life();
  const pids = [await life.run('bot'), await life.run('bot')];
  life.gate.asks = ({ pid }) => {
    if (pid === pids[0]) throw new Error('the flags are gone');
    return { value: null, reason: 'off' };
  };
  await life.agents.gateAll();
  expect(pids.map((pid) => life.host.value(pid))).toEqual([TARGET, ORIGINAL]);
  expect(life.failures).toEqual([`deciding whether to tune bots (${pids[0]}): the flags are gone`]);
});

test('a thread that the kernel refuses to write has its original, is not on record, and keeps no other from being tuned', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  const refused = life.host.thread(pid);
  const later = life.host.thread(pid);
  life.host.deny(refused);
  await life.hear();
  expect(life.host.values(pid)).toEqual([TARGET, ORIGINAL, TARGET]);
  expect(outcomes(life, pid)).toEqual(['tuned', 'denied', 'tuned']);
  expect(life.ledger.entries().map(({ tid }) => tid)).toEqual([pid, later]);
});

test('what the kernel refuses to put back is said, stays on record, and is put back later', async () => {
  using life = new Life();
  const { pid, tid } = await botOfTwo(life);
  life.host.deny(tid);
  life.agents.letGo(pid, 'the test says so');
  expect(life.host.values(pid)).toEqual([ORIGINAL, TARGET]);
  expect(life.failures.join()).toContain(`1 threads of bots (${pid}) could not be put back`);
  expect(life.ledger.entries().map((entry) => entry.tid)).toEqual([tid]);
  life.host.deny(tid, false);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.ledger.count()).toBe(0);
});

test('an agent that is attached again before all was put back gets the original that it had at first', async () => {
  using life = new Life();
  const { pid, tid } = await botOfTwo(life);
  life.host.deny(tid);
  life.agents.letGo(pid, 'the test says so');
  life.host.deny(tid, false);
  await life.scan();
  expect(life.host.values(pid)).toEqual([TARGET, TARGET]);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL, ORIGINAL]);
});

test('a value that somebody else has set is said once and left alone, also when all is put back', async () => {
  using life = new Life();
  const { pid, tid } = await botOfTwo(life);
  life.host.set(tid, 123n);
  for (let i = 0; i < 3; i++) await life.reconcile();
  expect(life.lines.filter((line) => line.includes('by somebody else'))).toEqual([
    `warn: the patience of thread ${tid} of bots (${pid}) was set to 123 by somebody else; left alone`,
  ]);
  expect(outcomes(life, pid)).toEqual(['tuned', 'drifted']);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL, 123n]);
  expect(life.ledger.count()).toBe(0);
});

test('a value that somebody else has set is left alone, if it is found only as all is put back', async () => {
  using life = new Life();
  const { pid, tid } = await botOfTwo(life);
  life.host.set(tid, 123n);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL, 123n]);
  expect(life.lines.filter((line) => line.includes('by somebody else'))).toHaveLength(1);
});

test('a value that somebody else has set is left alone, if the birth of its thread is heard of only then', async () => {
  for (const isNoticed of [true, false]) {
    using life = new Life();
    const pid = await life.run('bot');
    const tid = life.host.thread(pid);
    await life.reconcile();
    life.host.set(tid, 123n);
    if (isNoticed) await life.reconcile();
    await life.hear();
    expect(life.host.values(pid)).toEqual([TARGET, 123n]);
  }
});

test('a child of a thread that somebody else has set keeps that value', async () => {
  using life = new Life();
  const { tid, pid } = await botOfTwo(life);
  life.host.set(tid, 123n);
  const child = life.host.fork(pid, { maker: tid });
  await life.hear();
  await life.reconcile();
  expect(life.host.value(child)).toBe(123n);
});

test('a thread that becomes real-time is left alone, and tuned again when it is not any more', async () => {
  using life = new Life();
  const { pid, tid } = await botOfTwo(life);
  life.host.setPolicy(tid, 'fifo');
  await life.reconcile();
  expect(outcomes(life, pid)).toEqual(['tuned', 'exempt']);
  life.host.setPolicy(tid, 'other');
  await life.reconcile();
  expect(outcomes(life, pid)).toEqual(['tuned', 'tuned']);
  expect(life.host.values(pid)).toEqual([TARGET, TARGET]);
});

test('a thread that has less than the target already is never written', async () => {
  using life = new Life();
  life.gate.target = 100n;
  const pid = life.host.start(['/bin/bot'], { value: 7n });
  await life.hear();
  expect(outcomes(life, pid)).toEqual(['already']);
  expect(life.host.values(pid)).toEqual([7n]);
  expect(life.ledger.count()).toBe(0);
});
