/** One agent that is several processes is counted once: as the one that does the work. */
import { expect, test } from 'vitest';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

const RULES = '[{ id: bots, program: bot, name: bot }, { id: package, package: "@x/bot", name: bot }]';
const SCRIPT = '/x/node_modules/@x/bot/cli.js';
const NATIVE = '/x/node_modules/@x/bot-linux-x64/bin/bot';

/** A script that starts these command lines, each a child of the one before. */
async function chain(life: Life, ...argvs: (readonly string[])[]): Promise<number[]> {
  const pids: number[] = [];
  for (const argv of argvs) {
    const above = pids.at(-1);
    const pid = above === undefined ? life.host.start(argv) : life.host.fork(above);
    await life.hear();
    if (above !== undefined) life.host.exec(pid, argv);
    await life.hear();
    pids.push(pid);
  }
  return pids;
}

const evidence = (life: Life, pid: number) => life.decisions.explain(pid).kept?.verdict.evidence[0];

test('a script above its native program is a part of it, and gets back what it had', async () => {
  using life = new Life({ rules: RULES });
  const [launcher = 0, worker = 0] = await chain(life, ['node', SCRIPT], [NATIVE]);
  expect(life.pids()).toEqual([worker]);
  expect([life.host.value(launcher), life.host.value(worker)]).toEqual([ORIGINAL, TARGET]);
  expect(evidence(life, launcher)).toBe(`part of bot (${worker}), which it started and which does the work`);
  life.detach();
  expect(life.host.value(worker)).toBe(ORIGINAL);
  expect(life.failures).toEqual([]);
});

test('of a script that starts itself again with flags, twice, the lowest is the agent, also when all are there already', async () => {
  using life = new Life({ rules: RULES });
  const argvs = [
    ['node', SCRIPT],
    ['node', '--a', SCRIPT],
    ['node', '--a', '--b', SCRIPT],
  ];
  const pids = await chain(life, ...argvs);
  expect(life.pids()).toEqual([pids[2]]);
  await life.scan();
  await life.reconcile();
  expect(life.pids()).toEqual([pids[2]]);
});

test('two agents of one name are two: below a shell, below a native one, of another script, of another name', async () => {
  for (const argvs of [
    [['node', SCRIPT], ['/bin/sh', '-c', 'x'], [NATIVE]],
    [[NATIVE], [NATIVE, 'again']],
    [
      ['node', SCRIPT],
      ['node', '/x/node_modules/@x/bot/other.js'],
    ],
  ]) {
    using life = new Life({ rules: RULES });
    await chain(life, ...argvs);
    expect(life.pids()).toHaveLength(2);
  }
  using life = new Life({ rules: '[{ id: bots, program: bot }, { id: package, package: "@x/bot" }]' });
  expect(await chain(life, ['node', SCRIPT], [NATIVE])).toEqual(life.pids());
});

test('a child that becomes the native program later is the agent from then on', async () => {
  using life = new Life({ rules: RULES });
  const [launcher, worker = 0] = await chain(life, ['node', SCRIPT], ['/bin/other']);
  expect(life.pids()).toEqual([launcher]);
  life.host.exec(worker, [NATIVE]);
  await life.hear();
  expect(life.pids()).toEqual([worker]);
});

test('a script that another one of its package runs in its place, with its streams, is the agent; with streams of its own it is another', async () => {
  const argvs = [
    ['node', SCRIPT],
    ['node', '--a', '/x/node_modules/@x/bot/other.js'],
  ];
  for (const [streams, agents] of [
    ['/dev/pts/1', 1],
    ['pipe:[2]', 2],
  ] as const) {
    using life = new Life({ rules: RULES });
    const launcher = life.host.start(argvs[0] ?? []);
    life.host.connect(launcher, '/dev/pts/1');
    await life.hear();
    const worker = life.host.fork(launcher);
    life.host.connect(worker, streams);
    life.host.exec(worker, argvs[1] ?? []);
    await life.hear();
    expect(life.pids(), streams).toEqual([launcher, worker].slice(-agents));
    await life.scan();
    expect(life.pids(), streams).toEqual([launcher, worker].slice(-agents));
  }
});
