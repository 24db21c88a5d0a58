/** Events that the kernel had no room to tell, or that come late: looking again finds what they would have told. */
import { expect, test } from 'vitest';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';
import { until } from '../support/program.ts';

test('an exec that was lost is made good by a look at every process', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  life.host.loseEvents();
  await life.reconcile();
  expect(life.pids()).toEqual([pid]);
  expect(life.host.value(pid)).toBe(TARGET);
});

test('what the kernel had no room for it tells again, of those that still live, and no other process is looked at', async () => {
  using life = new Life();
  const other = await life.run('cat');
  const agent = await life.run('bot');
  const started = life.host.start(['/bin/bot']);
  const gone = life.host.start(['/bin/bot']);
  const renamed = life.host.start(['/bin/cat']);
  life.host.end(gone);
  const child = life.host.fork(agent);
  life.host.rename(renamed, 'bot');
  life.host.crowdEvents();
  const accesses = new Set<number>();
  life.host.onAccess = (_, id) => accesses.add(id);
  await life.reconcile();
  await life.hear();
  expect(life.pids()).toEqual([agent, started, renamed]);
  expect(life.host.value(started)).toBe(TARGET);
  expect(life.host.value(child)).toBe(ORIGINAL);
  expect(accesses).not.toContain(other);
  const said = life.lines.filter((line) => line.startsWith('warn'));
  expect(said).toEqual([
    expect.stringMatching(/lost 3 reports of new programs; the kernel tells again/),
    expect.stringMatching(/lost 1 reports of new threads and children/),
    expect.stringMatching(/lost 1 reports of new names/),
  ]);
});

test('a process that gives itself names all the time is looked at when that time is over, and its user is named', async () => {
  using life = new Life();
  const pid = await life.run('cat');
  life.host.rename(pid, 'some name');
  const [event] = life.host.events();
  if (!event) throw new Error('no event');
  await life.hear([{ ...event, kind: 'renaming', user: 4_242, held: 20_000 }]);
  life.host.rename(pid, 'bot');
  life.host.events(); // not told
  await until('its last name counts', () => life.pids().includes(pid));
  await life.reconcile();
  await life.reconcile();
  expect(life.lines.filter((line) => line.startsWith('warn'))).toEqual([
    expect.stringMatching(/user 4242 gave its processes 20000 names .*process \d+/),
  ]);
});

test('without lost events no process is looked at that nobody told of', async () => {
  using life = new Life();
  const agent = await life.run('bot');
  const other = await life.run('cat');
  let accesses = 0;
  life.host.onAccess = (_, id) => {
    if (id === other) accesses++;
  };
  await life.reconcile();
  expect(accesses).toBe(0);
  expect(life.pids()).toEqual([agent]);
});

test('threads whose births and deaths were lost are tuned, and forgotten', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const ends = life.host.thread(pid);
  await life.hear();
  life.host.endThread(ends);
  const born = life.host.thread(pid);
  life.host.loseEvents();
  await life.reconcile();
  expect(life.host.values(pid)).toEqual([TARGET, TARGET]);
  // At the first look it may have called execve, which is told later.
  await life.reconcile();
  expect(life.ledger.entries().map(({ tid }) => tid)).toEqual([pid, born]);
});

test('an agent whose end was lost is found to be gone, also when another process has its id', async () => {
  for (const next of ['cat', 'bot']) {
    using life = new Life();
    const pid = await life.run('bot');
    life.host.end(pid);
    life.host.start([`/bin/${next}`], { pid, value: 7_000n });
    life.host.loseEvents();
    await life.reconcile();
    expect(life.pids()).toEqual(next === 'bot' ? [pid] : []);
    expect(life.host.value(pid)).toBe(next === 'bot' ? TARGET : 7_000n);
    life.detach();
    expect(life.host.value(pid)).toBe(7_000n);
    expect(life.ledger.count()).toBe(0);
  }
});

test('an agent that ends without being told is let go when it is found to be gone for the second time', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.host.untrace(pid);
  life.host.end(pid);
  await life.reconcile();
  await life.reconcile();
  expect(life.pids()).toEqual([]);
  expect(life.ledger.count()).toBe(0);
});

test('a child whose fork was lost is put back, and its children, too', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.exec(child, ['/bin/cat']);
  const grandchild = life.host.fork(child);
  life.host.thread(child);
  life.host.loseEvents();
  await life.reconcile();
  expect(life.host.values(child)).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.host.values(grandchild)).toEqual([ORIGINAL]);
});

test.each(['contain', 'inherit', 'tune'] as const)(
  'a child whose fork was lost is put back with its agent at the latest (%s)',
  async (descendants) => {
    using life = new Life({ descendants });
    const pid = await life.run('bot');
    life.host.fork(life.host.fork(pid));
    life.host.loseEvents();
    life.detach();
    expect(life.host.changed()).toEqual([]);
  },
);

test('an exec that was lost does not keep an agent what it is no longer', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.host.exec(pid, ['/bin/cat']);
  life.host.loseEvents();
  await life.reconcile();
  expect(life.pids()).toEqual([]);
  expect(life.host.value(pid)).toBe(ORIGINAL);
});

test('a denied program whose exec was lost is put back', async () => {
  using life = new Life({ rules: '[{ id: bots, program: bot }, { id: never, action: deny, program: secret }]' });
  const pid = await life.run('bot');
  life.host.exec(pid, ['/bin/secret']);
  life.host.loseEvents();
  await life.reconcile();
  expect(life.pids()).toEqual([]);
  expect(life.host.value(pid)).toBe(ORIGINAL);
});

test('a name that was lost does not end an agent, and what explain says of it is that it stays one', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.host.rename(pid, 'at work');
  life.host.loseEvents();
  await life.reconcile();
  expect(life.pids()).toEqual([pid]);
  expect(life.host.value(pid)).toBe(TARGET);
  expect(life.decisions.named(pid)?.verdict.evidence.join()).toContain('it stays bots');
});

test('a birth that is heard after the process was looked at changes nothing', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  await life.hear();
  life.host.thread(pid);
  const child = life.host.fork(pid);
  const told = life.host.events();
  await life.reconcile();
  const before = life.host.values(pid);
  await life.hear(told);
  await life.hear(told.toReversed());
  expect(life.host.values(pid)).toEqual(before);
  expect(life.host.value(child)).toBe(ORIGINAL);
  expect(life.ledger.count()).toBe(2);
});
