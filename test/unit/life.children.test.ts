/** What the children of an agent are: agents themselves, put back, or left with what they inherited and on record. */
import { expect, test } from 'vitest';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

const RULES = (children: string) =>
  `[{ id: bots, program: bot, children: ${children} }, { id: workers, program: worker }, { id: never, action: deny, program: secret }]`;

test('a child that no rule names gets back what its agent had, and so do its threads and its children', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  expect(life.host.value(child)).toBe(TARGET);
  const grandchild = life.host.fork(child);
  life.host.thread(child);
  await life.hear();
  expect(life.host.values(child)).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.host.values(grandchild)).toEqual([ORIGINAL]);
  expect(life.host.values(pid)).toEqual([TARGET]);
  expect(life.pids()).toEqual([pid]);
  expect(life.ledger.count()).toBe(1);
});

test.each(['contain', 'inherit'] as const)(
  'a child of an agent that runs its program anew and ends, all of which is heard together, does not stay tuned (%s)',
  async (descendants) => {
    using life = new Life({ descendants });
    const pid = await life.run('bot');
    life.host.exec(pid, ['/bin/bot', 'again']);
    const child = life.host.fork(pid);
    life.host.end(pid);
    await life.hear();
    expect(life.pids()).toEqual([]);
    expect(life.ledger.entries().map(({ tid }) => tid)).toEqual(descendants === 'inherit' ? [child] : []);
    life.detach();
    expect(life.host.value(child)).toBe(ORIGINAL);
  },
);

test('a child whose agent is found to be gone before its fork is heard gets its value back when that is heard', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.end(pid);
  await life.reconcile();
  await life.hear();
  expect(life.pids()).toEqual([]);
  expect(life.host.value(child)).toBe(ORIGINAL);
});

test('a child gets back what the thread had that made it', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  const other = life.host.thread(pid);
  life.host.set(other, 7_000n);
  await life.hear();
  const children = [life.host.fork(pid), life.host.fork(pid, { maker: other })];
  await life.hear();
  expect(children.map((id) => life.host.value(id))).toEqual([ORIGINAL, 7_000n]);
});

test.each(['contain', 'inherit'] as const)(
  'a child that another rule names is an agent, and its original is what its parent had (%s)',
  async (descendants) => {
    using life = new Life({ rules: RULES('match'), descendants });
    const pid = await life.run('bot');
    const child = life.host.fork(pid);
    life.host.exec(child, ['/bin/worker']);
    await life.hear();
    expect(life.agent(child)?.identity).toMatchObject({ rule: 'workers', attachPath: 'cmdline' });
    expect(life.host.value(child)).toBe(TARGET);
    life.detach();
    expect(life.host.changed()).toEqual([]);
  },
);

test('with "inherit" a child keeps the value and is on record, until it ends or all is put back', async () => {
  using life = new Life({ descendants: 'inherit' });
  const pid = await life.run('bot');
  const [stays, ends] = [life.host.fork(pid), life.host.fork(pid)];
  await life.hear();
  expect([stays, ends].map((id) => life.host.value(id))).toEqual([TARGET, TARGET]);
  expect(life.ledger.count()).toBe(3);
  life.host.end(ends);
  await life.reconcile();
  expect(life.ledger.count()).toBe(2);
  life.host.end(pid);
  await life.hear();
  life.detach();
  expect(life.host.value(stays)).toBe(ORIGINAL);
  expect(life.ledger.count()).toBe(0);
});

test('what a flag says of children holds for its agents alone, until it says something else', async () => {
  using life = new Life();
  const said = new Map<number, 'inherit' | 'tune'>();
  life.gate.asks = ({ pid }) => {
    const descendants = said.get(pid);
    return { value: TARGET, reason: `a flag says ${descendants}`, ...(descendants && { descendants }) };
  };
  const [inherits, tunes, contains] = [await life.run('bot'), await life.run('bot'), await life.run('bot')];
  said.set(inherits, 'inherit').set(tunes, 'tune');
  await life.agents.gateAll();
  const children = [inherits, tunes, contains].map((pid) => life.host.fork(pid));
  await life.hear();
  expect(children.map((id) => life.host.value(id))).toEqual([TARGET, TARGET, ORIGINAL]);
  expect(children.map((id) => life.agent(id) !== undefined)).toEqual([false, true, false]);
  said.clear();
  await life.agents.gateAll();
  const later = life.host.fork(inherits);
  await life.hear();
  expect(life.host.value(later)).toBe(ORIGINAL);
  life.detach();
  expect(life.host.changed()).toEqual([]);
});

test('with "tune" and with "children: all" a child is an agent by its parent', async () => {
  for (const options of [{ descendants: 'tune' as const }, { rules: RULES('all') }]) {
    using life = new Life(options);
    const pid = await life.run('bot');
    const child = life.host.fork(pid);
    life.host.exec(child, ['/bin/cat']);
    const grandchild = life.host.fork(child);
    await life.hear();
    expect(life.pids()).toEqual([pid, child, grandchild]);
    expect(life.agent(child)?.identity.attachPath).toBe('descendant');
    expect(life.host.value(grandchild)).toBe(TARGET);
  }
});

test('with "children: all" a child gets back what its agent had, also if that has ended before the child is heard of', async () => {
  using life = new Life({ rules: RULES('all') });
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.end(pid);
  await life.hear();
  expect(life.pids()).toEqual([child]);
  life.detach();
  expect(life.host.value(child)).toBe(ORIGINAL);
});

test('with "children: all" the children that there are already are agents, too', async () => {
  using life = new Life({ rules: RULES('all') });
  const pid = life.host.start(['/bin/node']);
  const child = life.host.fork(pid);
  life.host.rename(pid, 'bot');
  await life.hear();
  expect(life.pids()).toEqual([pid, child]);
});

test('with "children: none" a child is none even by another rule, until its parent is let go', async () => {
  using life = new Life({ rules: RULES('none') });
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  life.host.exec(child, ['/bin/worker']);
  await life.hear();
  expect(life.pids()).toEqual([pid]);
  expect(life.host.value(child)).toBe(ORIGINAL);
  life.host.exec(pid, ['/bin/cat']);
  await life.hear();
  await life.scan();
  expect(life.pids()).toEqual([child]);
});

test('a denial counts for a child of any parent, and it is put back', async () => {
  for (const children of ['match', 'all', 'none'])
    for (const descendants of ['contain', 'tune'] as const)
      for (const isHeardTogether of [true, false]) {
        using life = new Life({ rules: RULES(children), descendants });
        const pid = await life.run('bot');
        const child = life.host.fork(pid);
        if (!isHeardTogether) await life.hear();
        life.host.exec(child, ['/bin/secret']);
        await life.hear();
        expect(life.pids()).toEqual([pid]);
        expect(life.host.value(child), `${children} ${descendants} ${isHeardTogether}`).toBe(ORIGINAL);
      }
});

test('a parent that a rule denies makes no agent of its child, and a child that is an agent stays one', async () => {
  using life = new Life({ rules: RULES('all') });
  const pid = await life.run('bot');
  const child = life.host.fork(pid);
  await life.hear();
  life.host.rename(pid, 'secret');
  await life.hear();
  expect(life.pids()).toEqual([child]);
  const late = life.host.fork(pid);
  await life.hear();
  expect(life.host.value(late)).toBe(ORIGINAL);
  life.detach();
  expect(life.host.changed()).toEqual([]);
});
