/** Agents by what they call themselves, by where they come from, and by whose children they are. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { cgroupRootOf } from '../../src/discovery/network/cgroupRoot.ts';
import { tell } from '../support/conversation.ts';
import { Program, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { attribute, spansOf } from '../support/spans.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const pids = async (sandbox: Sandbox) =>
  (await sandbox.json<StatusDocument>('status')).agents.map((a) => a.pid).toSorted((a, b) => a - b);

/** A Node process that renames itself when it is told to. */
async function actor(env: NodeJS.ProcessEnv = process.env): Promise<Program> {
  const script =
    "process.stdin.on('data', (d) => { process.title = String(d).trim(); console.log('done') }); console.log('ready')";
  const program = new Program(process.execPath, ['-e', script], env);
  await program.line(/^ready/);
  return program;
}

test('a process that gives itself the name of an agent is one from then on', async () => {
  using sandbox = Sandbox.withRules([{ id: 'titled', program: ['openclaw', 'openclaw-agent'] }]);
  await using program = await actor();
  await using other = await actor();
  await using taut = await sandbox.watch();
  await tell(other, 'some-thing-else');
  await tell(program, 'openclaw-agent');
  await taut.line(/attached/);
  expect(await pids(sandbox)).toEqual([program.pid]);
});

test('rules know the environment by its names, the user, the directory, the parents; and evidence holds no value', async () => {
  const cwd = FIXTURES;
  using sandbox = Sandbox.withRules([
    {
      id: 'placed',
      env: 'TAUT_TEST_*',
      user: 'root',
      cwd: '*/fixtures',
      ancestor: '*',
      cgroup: '*',
      program: 'python*',
    },
  ]);
  const start = async (env: NodeJS.ProcessEnv, at: string) => {
    const program = new Program(
      '/usr/bin/python3',
      ['-c', 'print("ready", flush=True); input()'],
      { ...process.env, ...env },
      at,
    );
    await program.line(/^ready/);
    return program;
  };
  await using right = await start({ TAUT_TEST_KEY: 's3cret' }, cwd);
  await using _noName = await start({}, cwd);
  await using _elsewhere = await start({ TAUT_TEST_KEY: 's3cret' }, '/');
  await using _taut = await sandbox.watch();
  expect(await pids(sandbox)).toEqual([right.pid]);
  const { evidence } = await sandbox.json<{ evidence: string[] }>('explain', String(right.pid));
  expect(evidence).toHaveLength(6);
  expect(evidence.join()).toContain('TAUT_TEST_KEY');
  expect(evidence.join()).not.toContain('s3cret');
});

test("an agent's trace says in which container it runs", async () => {
  using sandbox = new Sandbox();
  const id = randomBytes(32).toString('hex');
  const root = cgroupRootOf(readFileSync('/proc/self/mountinfo', 'latin1')) ?? '';
  const cgroup = join(root, `docker-${id}.scope`);
  mkdirSync(cgroup);
  try {
    await using inside = await sleeper(sandbox);
    await using outside = await sleeper(sandbox);
    writeFileSync(join(cgroup, 'cgroup.procs'), String(inside.pid));
    await using taut = await sandbox.watch();
    expect(await taut.stop()).toBe(0);
    const containers = new Map(
      spansOf(sandbox.stateDir, 'attach').map((span) => [
        attribute(span, 'process.pid'),
        attribute(span, 'container.id'),
      ]),
    );
    expect(containers).toEqual(
      new Map([inside, outside].map(({ pid }, i) => [String(pid), i === 0 ? id : 'undefined'])),
    );
  } finally {
    rmdirSync(cgroup);
  }
});

test.each([
  ['all', 3],
  ['match', 1],
  ['none', 1],
] as const)('children: %s', async (children, expected) => {
  using sandbox = new Sandbox();
  const rule = { id: 'family', anyArg: sandbox.mark, children };
  sandbox.useRules([rule]);
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  await using _taut = await sandbox.watch();
  await tell(agent, 'forks 2 1000');
  await until('the family is as the rule says', async () => (await pids(sandbox)).length === expected);
  // A fork has its maker's command line: only the rule's choice can keep it out, once it is looked at.
  const child = Number((agent.lines.findLast((l) => l.startsWith('children')) ?? '').split(' ')[1]);
  const { decision } = await sandbox.json<{ decision: string }>('explain', String(child), '--config', sandbox.config);
  expect(decision).toBe('attach');
  expect(await pids(sandbox)).toHaveLength(expected);
});

test('children: none holds for what their tools start, too', async () => {
  const mark = `none-${process.pid}`;
  using sandbox = Sandbox.withRules([
    { id: 'closed', program: mark, children: 'none' },
    { id: 'below', program: `${mark}-below` },
  ]);
  await using _taut = await sandbox.watch();
  const inner = `(exec -a ${mark}-below sleep 1000) & echo $!; wait`;
  await using agent = new Program('bash', ['-c', 'exec -a "$0" bash -c "$1"', mark, `bash -c '${inner}' & wait`]);
  const below = Number(await agent.line(/^\d+$/));
  await until('the agent is found', async () => (await pids(sandbox)).length === 1);
  const explained = () => sandbox.json<{ decision: string; evidence: string[] }>('explain', String(below));
  await until('it was looked at', async () => /children: none/.test((await explained()).evidence.join()));
  expect((await explained()).decision).toBe('ignore');
  expect(await pids(sandbox)).toEqual([agent.pid]);
  process.kill(below, 'SIGKILL');
});

interface Explained {
  readonly decision: string;
  readonly rule: string | null;
  readonly sources: { source: string; what: string | null; at: string; times: number }[];
  readonly lost: { rule: string; action: string; why: string }[];
  readonly nearest: string[];
}

test('explain keeps what led to a decision, and the rules that lost', async () => {
  using sandbox = Sandbox.withRules([
    { id: 'first', program: 'worker' },
    { id: 'second', program: 'work*' },
    { id: 'denied', action: 'deny', program: 'worker-off' },
  ]);
  await using program = await actor();
  await using _taut = await sandbox.watch();
  await tell(program, 'worker');
  await until('it is found', async () => (await pids(sandbox)).length === 1);
  const explain = () => sandbox.json<Explained>('explain', String(program.pid));
  const found = await explain();
  expect(found).toMatchObject({ decision: 'attach', rule: 'first' });
  expect(found.sources.map(({ source }) => source)).toEqual(['scan', 'rename']);
  expect(found.lost).toMatchObject([{ rule: 'second', action: 'attach', why: 'first stands before it' }]);

  await tell(program, 'other');
  await until('the new name was heard', async () => (await explain()).sources.some(({ times }) => times === 2));
  expect(await explain()).toMatchObject({ decision: 'attach', rule: 'first' });

  // A denial ends it, whatever matched before.
  await tell(program, 'worker-off');
  await until('it is let go', async () => (await pids(sandbox)).length === 0);
  expect(await explain()).toMatchObject({ decision: 'deny', rule: 'denied', lost: [{ rule: 'second' }] });
});

test('explain says of a process that no rule names which came near', async () => {
  using sandbox = Sandbox.withRules([{ id: 'near', program: 'bash', user: 'nobody' }]);
  await using program = new Program('bash', ['-c', 'echo ready; read']);
  await program.line(/^ready/);
  const { nearest } = await sandbox.json<Explained>('explain', String(program.pid), '--config', sandbox.config);
  expect(nearest).toEqual(['rule near: program "bash" matches "bash"; but its user does not match']);
});

test('a denial wins over an operator who names the process, and says so', async () => {
  using sandbox = Sandbox.withRules([{ id: 'off-limits', action: 'deny', program: 'python*' }]);
  await using program = new Program('python3', ['-c', 'print("ready", flush=True); input()']);
  await program.line(/^ready/);
  await using taut = sandbox.taut('attach', String(program.pid), '--config', sandbox.config);
  expect(await taut.line(/not watching/)).toContain('rule off-limits denies it');
  await taut.ended;
});

test('in a time namespace of its own, whose clock is ahead, it knows processes by their start as the kernel tells it', async () => {
  using sandbox = new Sandbox();
  const options = ['--time', '--boottime', '864000', '--fork', '--kill-child=SIGTERM'];
  const watch = sandbox.watchCommand();
  await using taut = new Program('unshare', [...options, ...watch]);
  await taut.line(/watching/);
  await using agent = sandbox.python('sleeper.py');
  await taut.line(/attached/);
  const { sources } = await sandbox.json<{ sources: { source: string }[] }>('explain', String(agent.pid));
  expect(sources.map(({ source }) => source)).toContain('exec');
});
