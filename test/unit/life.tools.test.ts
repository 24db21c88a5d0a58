/** The tools of agents, in any order of events: who is one, who gets its value, and that it is put back. */
import { expect, test } from 'vitest';
import { Life, TARGET, toolPatience } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

const RULES = '[{ id: bots, program: bot }, { id: denied, program: denied, action: deny }]';

function lifeOf(rules = RULES): Life {
  return new Life({ knobs: [toolPatience], rules });
}

/** A process forks, and the child runs a program; nothing of it is heard yet. @returns its id. */
function spawned(life: Life, parent: number, program: string, ...args: string[]): number {
  const pid = life.host.fork(parent);
  life.host.exec(pid, [`/usr/bin/${program}`, ...args]);
  return pid;
}

/** Puts all back, and checks that nothing is left of it. */
function nothingIsLeft(life: Life): void {
  life.detach();
  expect(life.host.changed()).toEqual([]);
  expect(life.ledger.count()).toBe(0);
  expect(life.failures).toEqual([]);
}

test('a tool has it from its program on, what it starts inherits it and costs no entry, until it stays', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = life.host.fork(bot);
  await life.hear();
  expect(life.host.value(tool)).toBe(ORIGINAL);
  life.host.exec(tool, ['/bin/make']);
  await life.hear();
  expect(life.host.value(tool)).toBe(TARGET);
  const compiler = spawned(life, tool, 'cc');
  await life.hear();
  expect(life.host.value(compiler)).toBe(TARGET);
  expect(life.ledger.entries().map(({ pid, agent }) => [pid, agent])).toEqual([[tool, 'bots']]);
  await life.reconcile();
  expect(life.ledger.entries().map(({ pid }) => pid)).toEqual([tool, compiler]);
  expect(life.host.value(bot)).toBe(ORIGINAL);
  nothingIsLeft(life);
});

test('what a tool has made before it was heard of gets it, too: processes, threads and their children', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'sh');
  const subshell = life.host.fork(tool);
  const thread = life.host.thread(subshell);
  const below = life.host.fork(subshell, { maker: thread });
  await life.hear();
  expect([tool, subshell, thread, below].map((tid) => life.host.value(tid))).toEqual(Array(4).fill(TARGET));
  nothingIsLeft(life);
});

test("a fork of the agent, and what runs the agent's program, is none, but what they start is", async () => {
  using life = lifeOf('[{ id: bots, program: bot, not: { anyArg: worker } }]');
  const bot = await life.run('bot');
  const fork = life.host.fork(bot);
  const worker = spawned(life, bot, 'bot', 'worker');
  await life.hear();
  const tools = [spawned(life, fork, 'git'), spawned(life, worker, 'git')];
  await life.hear();
  await life.reconcile();
  expect(life.pids()).toEqual([bot]);
  expect([fork, worker].map((pid) => life.host.value(pid))).toEqual([ORIGINAL, ORIGINAL]);
  expect(tools.map((pid) => life.host.value(pid))).toEqual([TARGET, TARGET]);
  nothingIsLeft(life);
});

test.each(['denied', 'gopls', 'bot'])(
  '%s is none, below the agent and below a tool, and nor is what it starts',
  async (program) => {
    using life = lifeOf();
    const bot = await life.run('bot');
    const tool = spawned(life, bot, 'sh');
    await life.hear();
    const helpers = [spawned(life, bot, program), spawned(life, tool, program)];
    await life.hear();
    const forks = helpers.map((pid) => life.host.fork(pid));
    await life.hear();
    await life.reconcile();
    expect([...helpers, ...forks].map((pid) => life.host.value(pid))).toEqual(Array(4).fill(ORIGINAL));
    expect(life.host.value(tool)).toBe(TARGET);
    nothingIsLeft(life);
  },
);

test.each(['exec', 'look'])(
  'with "children: none" what a rule names is no agent, and no tool either (%s)',
  async (how) => {
    using life = lifeOf('[{ id: bots, program: bot, children: none }, { id: others, program: other }]');
    const bot = await life.run('bot');
    const other = spawned(life, bot, 'other');
    const cat = spawned(life, bot, 'cat');
    if (how === 'look') life.host.loseEvents();
    await life.hear();
    await life.reconcile();
    const below = spawned(life, other, 'git');
    await life.hear();
    expect(life.pids()).toEqual([bot]);
    expect([other, below, cat].map((pid) => life.host.value(pid))).toEqual([ORIGINAL, ORIGINAL, TARGET]);
    nothingIsLeft(life);
  },
);

test('a tool that becomes a helper or an agent by an exec gets back what it had', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tools = [spawned(life, bot, 'sh'), spawned(life, bot, 'sh')];
  await life.hear();
  await life.reconcile();
  expect(tools.map((pid) => life.host.value(pid))).toEqual([TARGET, TARGET]);
  for (const [i, program] of ['gopls', 'bot'].entries()) life.host.exec(tools[i] ?? 0, [`/usr/bin/${program}`]);
  await life.hear();
  expect(tools.map((pid) => life.host.value(pid))).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.ledger.count()).toBe(0);
  nothingIsLeft(life);
});

test('what a tool has left behind is put back, whether it was recorded or is too young for that', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'sh');
  await life.hear();
  const old = life.host.fork(tool);
  await life.hear();
  await life.reconcile();
  const young = life.host.fork(tool);
  await life.hear();
  life.host.end(tool);
  const youngest = life.host.fork(young);
  expect([old, young, youngest].map((pid) => life.host.value(pid))).toEqual([TARGET, TARGET, TARGET]);
  nothingIsLeft(life);
});

test('the end of the agent puts its tools back', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'server');
  await life.hear();
  const child = life.host.fork(tool);
  life.host.end(bot);
  await life.hear();
  expect([tool, child].map((pid) => life.host.value(pid))).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.ledger.count()).toBe(0);
  nothingIsLeft(life);
});

test('tools whose events were lost are found by the next look, and are judged as the others', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const fork = life.host.fork(bot);
  await life.hear();
  life.host.exec(fork, ['/bin/sh']);
  const tool = spawned(life, bot, 'make');
  const helper = spawned(life, tool, 'gopls');
  const server = life.host.fork(helper);
  life.host.loseEvents();
  await life.reconcile();
  expect([fork, tool].map((pid) => life.host.value(pid))).toEqual([TARGET, TARGET]);
  expect([helper, server].map((pid) => life.host.value(pid))).toEqual([ORIGINAL, ORIGINAL]);
  nothingIsLeft(life);
});

test('what has a value of its own keeps it, and is tuned when it has the ordinary one again', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = life.host.fork(bot);
  life.host.set(tool, 7n);
  life.host.exec(tool, ['/bin/make']);
  await life.hear();
  await life.reconcile();
  expect(life.host.value(tool)).toBe(7n);
  expect([...(life.agent(bot)?.tunings[0]?.threads.values() ?? [])]).toMatchObject([
    { outcome: 'exempt', detail: '7 of its own' },
  ]);
  life.host.set(tool, ORIGINAL);
  await life.reconcile();
  expect(life.host.value(tool)).toBe(TARGET);
  nothingIsLeft(life);
});

test('a value that is the target by its own choice is not put back', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = life.host.fork(bot);
  life.host.set(tool, TARGET);
  life.host.exec(tool, ['/bin/make']);
  await life.hear();
  await life.reconcile();
  life.detach();
  expect(life.host.value(tool)).toBe(TARGET);
});

test('what a tool has by its own choice it hands on as its own: to children that were looked at, and to young ones', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'make');
  life.host.set(tool, TARGET);
  const compilers = [spawned(life, tool, 'cc')];
  await life.hear();
  await life.reconcile();
  const below = spawned(life, compilers[0] ?? 0, 'as');
  await life.hear();
  await life.reconcile();
  compilers.push(below, spawned(life, tool, 'cc'));
  await life.hear();
  life.detach();
  expect([tool, ...compilers].map((pid) => life.host.value(pid))).toEqual(Array(4).fill(TARGET));
  expect(life.ledger.count()).toBe(0);
});

test('what an agent has itself its tools begin with, and keep', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  life.host.set(bot, TARGET);
  const tool = spawned(life, bot, 'sh');
  const below = spawned(life, tool, 'make');
  await life.hear();
  await life.reconcile();
  const orphan = spawned(life, below, 'cc');
  life.host.end(below);
  await life.hear();
  await life.reconcile();
  life.detach();
  expect([tool, orphan].map((pid) => life.host.value(pid))).toEqual([TARGET, TARGET]);
});

test('what somebody else sets is reported once, and stays', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'make');
  await life.hear();
  life.host.set(tool, 9n);
  await life.reconcile();
  await life.reconcile();
  expect(life.lines.filter((line) => line.includes('somebody else'))).toHaveLength(1);
  nothingIsLeft(life);
  expect(life.host.value(tool)).toBe(9n);
});

test('an exec by another thread of a tool leaves one entry', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'make');
  await life.hear();
  const thread = life.host.thread(tool);
  await life.reconcile();
  expect(life.ledger.count()).toBe(2);
  life.host.execBy(thread, ['/bin/cc']);
  await life.hear();
  await life.reconcile();
  expect(life.ledger.entries().map(({ tid }) => tid)).toEqual([tool]);
  nothingIsLeft(life);
});

test('an id that is given out again is no tool', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tool = spawned(life, bot, 'make');
  await life.hear();
  life.host.end(tool);
  life.host.start(['/bin/stranger'], { pid: tool });
  await life.hear();
  await life.reconcile();
  expect(life.host.value(tool)).toBe(ORIGINAL);
  expect(life.ledger.count()).toBe(0);
  nothingIsLeft(life);
});

test('the gate shuts and opens, and what was started meanwhile gets it then', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tools = [spawned(life, bot, 'make')];
  await life.hear();
  await life.decide(null);
  expect(life.host.changed()).toEqual([]);
  expect(life.ledger.count()).toBe(0);
  tools.push(spawned(life, bot, 'make'));
  tools.push(life.host.fork(tools[1] ?? 0));
  await life.hear();
  expect(life.host.changed()).toEqual([]);
  await life.decide(TARGET);
  expect(tools.map((pid) => life.host.value(pid))).toEqual([TARGET, TARGET, TARGET]);
  await life.decide(5n);
  expect(tools.map((pid) => life.host.value(pid))).toEqual([5n, 5n, 5n]);
  nothingIsLeft(life);
});

test('a denied write is said once, and nothing is on record', async () => {
  using life = lifeOf();
  const bot = await life.run('bot');
  const tools = [life.host.fork(bot), life.host.fork(bot)];
  for (const pid of tools) {
    life.host.deny(pid);
    life.host.exec(pid, ['/bin/make']);
  }
  await life.hear();
  expect(life.lines.filter((line) => line.startsWith('warn: not allowed'))).toHaveLength(1);
  expect(life.ledger.count()).toBe(0);
  nothingIsLeft(life);
});
