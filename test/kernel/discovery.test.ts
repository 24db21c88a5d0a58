/** Agents by what they call themselves, by where they come from, and by whose children they are. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/status.ts';
import { tell } from './conversation.ts';
import { Program, until } from './program.ts';
import { Bench, FIXTURES } from './taut.ts';

function benchFor(...rules: object[]): Bench {
  const bench = new Bench();
  writeFileSync(bench.config, JSON.stringify({ version: 1, builtin: false, rules }));
  return bench;
}

const pids = async (bench: Bench) =>
  (await bench.json<StatusDocument>('status')).agents.map((a) => a.pid).toSorted((a, b) => a - b);

/** A Node process that renames itself when it is told to. */
async function actor(env: NodeJS.ProcessEnv = process.env): Promise<Program> {
  const script =
    "process.stdin.on('data', (d) => { process.title = String(d).trim(); console.log('done') }); console.log('ready')";
  const program = new Program(process.execPath, ['-e', script], env);
  await program.line(/^ready/);
  return program;
}

test('a process that gives itself the name of an agent is one from then on', async () => {
  using bench = benchFor({ id: 'titled', program: ['openclaw', 'openclaw-agent'] });
  await using program = await actor();
  await using other = await actor();
  await using taut = await bench.watch();
  await tell(other, 'some-thing-else');
  await tell(program, 'openclaw-agent');
  await taut.line(/attached/);
  expect(await pids(bench)).toEqual([program.pid]);
});

test('rules know the environment by its names, the user, the directory, the parents; and evidence holds no value', async () => {
  const cwd = FIXTURES;
  using bench = benchFor({
    id: 'placed',
    env: 'TAUT_TEST_*',
    user: 'root',
    cwd: '*/fixtures',
    ancestor: '*',
    cgroup: '*',
    program: 'python*',
  });
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
  await using _taut = await bench.watch();
  expect(await pids(bench)).toEqual([right.pid]);
  const { evidence } = await bench.json<{ evidence: string[] }>('explain', String(right.pid));
  expect(evidence).toHaveLength(6);
  expect(evidence.join()).toContain('TAUT_TEST_KEY');
  expect(evidence.join()).not.toContain('s3cret');
});

test.each([
  ['all', 3],
  ['match', 1],
  ['none', 1],
] as const)('children: %s', async (children, expected) => {
  using bench = new Bench();
  const rule = { id: 'family', anyArg: bench.mark, children };
  writeFileSync(bench.config, JSON.stringify({ version: 1, builtin: false, rules: [rule] }));
  await using agent = bench.python('storm.py');
  await agent.line(/^ready/);
  await using _taut = await bench.watch();
  await tell(agent, 'forks 2 30');
  await until('the family is as the rule says', async () => (await pids(bench)).length === expected);
  // A fork has its maker's command line: only the rule's choice can keep it out, once it is looked at.
  const child = Number((agent.lines.findLast((l) => l.startsWith('children')) ?? '').split(' ')[1]);
  const { decision } = await bench.json<{ decision: string }>('explain', String(child), '--config', bench.config);
  expect(decision).toBe('attach');
  expect(await pids(bench)).toHaveLength(expected);
});
