/** The priority of an agent's tools: who gets it, who does not, and that everybody gets back what there was. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { compiled } from '../support/compiled.ts';
import { ofThreads, Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { entries } from '../support/waiting.ts';

const reuse = compiled('reuse');
const TOOLS = '--optimize-tools';
/** As make would: two compilers at once, one of them by way of a shell, and a subshell. */
const BUILD = 'cat <&3 & sh -c "cat <&3; true" & (cat <&3; true) & wait';

/** Policy and nice value of every thread of a process, the main thread's first: `0 10`. */
function priorities(pid: number): string[] {
  return ofThreads(pid, 'stat').map(({ text }) => {
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return `${fields[41 - 3]} ${fields[19 - 3]}`;
  });
}

/** The name of a process; empty when it is gone. */
function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return '';
  }
}

const ORDINARY = '0 0';
const LOW = '0 10';

function tree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(tree)];
}

const prioritiesOf = (pids: readonly number[]) => pids.flatMap(priorities);
const isAll = (pids: readonly number[], priority: string) => prioritiesOf(pids).every((one) => one === priority);

async function agentOf(sandbox: Sandbox): Promise<Program> {
  const agent = sandbox.python('tooling.py');
  await agent.line(/^ready/);
  return agent;
}

/** Starts something below the agent. @returns its id. */
async function start(agent: Program, words: string): Promise<number> {
  const before = agent.lines.length;
  agent.say(words);
  await agent.lineAfter(before + 1);
  return Number(agent.lines[before]?.split(' ')[1]);
}

/** Starts a build, and waits until all six of its processes are there. */
async function build(agent: Program): Promise<number[]> {
  const top = await start(agent, `tool ${BUILD}`);
  await until('the build has begun', () => tree(top).length === 6);
  return tree(top);
}

const toolsOf = async (sandbox: Sandbox) =>
  (await sandbox.json<StatusDocument>('status')).agents[0]?.knobs.find(({ id }) => id === 'tool_priority');

test("an agent's tools get it with all that they start, also those that were there before; the agent and its workers do not", async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const before = await build(agent);
  const worker = await start(agent, 'fork');
  await using taut = await sandbox.watch(TOOLS);
  const after = await build(agent);
  const later = await start(agent, 'fork');
  const all = [...before, ...after];
  await until('every tool has it', () => isAll(all, LOW));
  expect(prioritiesOf([agent.pid, worker, later])).toEqual([ORDINARY, ORDINARY, ORDINARY]);
  await until('status tells of it', async () => (await toolsOf(sandbox))?.threads.tuned === all.length);
  expect(await toolsOf(sandbox)).toMatchObject({ target: 10, threads: { total: all.length, exempt: 0, drifted: 0 } });
  expect(await taut.stop()).toBe(0);
  expect(prioritiesOf(all)).toEqual(all.map(() => ORDINARY));
  expect(await entries(sandbox)).toBe(0);
});

test('what a rule names, what talks to the agent in turns and what they start is no tool, also below one', async () => {
  const sandbox = new Sandbox();
  using _sandbox = sandbox;
  const servers = ['/bin/cat', join(sandbox.dir, 'mcp-files')] as const;
  const named = join(sandbox.dir, 'helper');
  for (const path of [servers[1], named]) execFileSync('cp', [servers[0], path]);
  sandbox.useRules([
    { id: 'fixture', name: 'fixture-agent', anyArg: [sandbox.mark] },
    { id: 'helper', action: 'deny', program: 'helper' },
  ]);
  await using agent = await agentOf(sandbox);
  const before = await start(agent, `exec ${servers[1]}`);
  await using taut = await sandbox.watch(TOOLS);
  const ids = [before];
  for (const program of [servers[1], named]) {
    ids.push(await start(agent, `exec ${program}`));
    // Below a tool it inherits the tool's priority first.
    const shell = await start(agent, `tool sleep 0.2; ${program}; true`);
    await until('the tool has it', () => isAll([shell], LOW));
    await until('it runs', () => childrenOf(shell).some((pid) => /mcp|helper/.test(nameOf(pid))));
    ids.push(...childrenOf(shell));
  }
  await until('none of them has it', () => isAll(ids, ORDINARY));
  expect(await taut.stop()).toBe(0);
});

test('a tool that has a priority of its own keeps it, and one that is set since is reported once and stays', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const own = await start(agent, 'exec nice -n 5 cat');
  const batch = await start(agent, 'exec chrt --batch 0 cat');
  const tool = await start(agent, 'exec cat');
  await until('they run', () => `${priorities(own)} ${priorities(batch)}` === '0 5 3 0');
  await using taut = await sandbox.watch(TOOLS);
  await until('the tool has it', () => isAll([tool], LOW));
  expect(await toolsOf(sandbox)).toMatchObject({ threads: { total: 3, tuned: 1, exempt: 2 } });
  await using renice = new Program('renice', ['-n', '15', '-p', String(tool)]);
  expect(await renice.ended).toBe(0);
  await taut.line(/tool priority of thread \d+ .* was set to nice 15 by somebody else/);
  expect(await taut.stop()).toBe(0);
  expect(prioritiesOf([own, batch, tool])).toEqual(['0 5', '3 0', '0 15']);
  expect(taut.errors.filter((line) => line.includes('somebody else'))).toHaveLength(1);
});

test.each([
  ['idle', '5 0'],
  ['nice:19', '0 19'],
])('%s is put back as well', async (value, priority) => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch(`${TOOLS}=${value}`);
  const tools = await build(agent);
  await until('they have it', () => isAll(tools, priority));
  expect(await taut.stop()).toBe(0);
  expect(prioritiesOf(tools)).toEqual(tools.map(() => ORDINARY));
});

test('after kill -9 the guard puts everything back, and taut restore where there is none', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  for (const guarded of [true, false]) {
    await using taut = await sandbox.watch(TOOLS, ...(guarded ? [] : ['--no-guard']));
    const tools = await build(agent);
    await until('they have it', () => isAll(tools, LOW));
    await taut.stop('SIGKILL');
    if (!guarded) await sandbox.json('restore');
    await until('they are put back', () => isAll(tools, ORDINARY));
    await until('nothing is on record', async () => (await entries(sandbox)) === 0);
  }
});

test('what a tool has left behind is put back when that tool has ended, and when the agent has', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch(TOOLS);
  const shell = await start(agent, 'tool setsid sleep 100 </dev/null >/dev/null 2>&1 & wait');
  const orphans = () => childrenOf(shell).filter((pid) => nameOf(pid) === 'sleep');
  await until('both have it', () => orphans().length === 1 && isAll([shell, ...orphans()], LOW));
  const left = orphans();
  process.kill(shell, 'SIGKILL');
  await until('the tool has ended', () => childrenOf(shell).length === 0);
  expect(isAll(left, LOW)).toBe(true);
  await agent.stop('SIGKILL');
  await until('they are put back', () => isAll(left, ORDINARY));
  for (const pid of left) process.kill(pid, 'SIGKILL');
  expect(await taut.stop()).toBe(0);
  expect(await entries(sandbox)).toBe(0);
});

test('a flag turns it off and on while tools run', async () => {
  using sandbox = new Sandbox();
  const path = join(sandbox.dir, 'flags.json');
  const set = (defaultVariant: string) => {
    const flag = { state: 'ENABLED', variants: { on: true, idle: 'idle', off: false }, defaultVariant };
    writeFileSync(path, JSON.stringify({ flags: { 'taut.optimize-tools': flag } }));
  };
  set('off');
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--flags', path);
  const tools = await build(agent);
  for (const [word, priority] of [
    ['on', LOW],
    ['off', ORDINARY],
    ['idle', '5 0'],
    ['on', LOW],
    ['off', ORDINARY],
  ] as const) {
    set(word);
    await until(`it is ${word}`, () => isAll(tools, priority));
  }
  expect(await taut.stop()).toBe(0);
});

test('a command that is run under --optimize has its tools at it from the first one on, and a short slice', async () => {
  using sandbox = new Sandbox();
  const agent = ['python3', join(FIXTURES, 'tooling.py'), sandbox.mark];
  await using taut = sandbox.taut('run', '--optimize', '--', ...agent);
  await taut.line(/^ready/);
  const tools = await build(taut);
  await until('they have it', () => isAll(tools, LOW));
  const { agents } = await sandbox.json<StatusDocument>('status');
  expect(agents[0]?.knobs.map(({ target, gate }) => [target, gate.reason])).toEqual([
    [null, '--optimize-timer-slack was not given'],
    [100_000, '--optimize=responsive'],
    [10, '--optimize=responsive'],
  ]);
  taut.child.stdin?.end();
  expect(await taut.ended).toBe(0);
  expect(await entries(sandbox)).toBe(0);
});

test('a storm of short tools leaves nothing behind', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch(TOOLS);
  await start(agent, 'storm 300');
  const tools = await build(agent);
  await until('the next ones have it', () => isAll(tools, LOW));
  expect(await taut.stop()).toBe(0);
  expect(prioritiesOf([agent.pid, ...tools])).toEqual([agent.pid, ...tools].map(() => ORDINARY));
  expect(await entries(sandbox)).toBe(0);
});

test.each([
  ['tuned', 1, 'foreign'],
  ['put back', 2, 'vanished'],
])(
  'a tool whose id another process gets just before it is %s: that one has what it was born with',
  async (_, n, outcome) => {
    using sandbox = new Sandbox();
    const env = { ...process.env, REUSE_MARK: sandbox.mark, REUSE_TOOL: String(n) };
    await using race = new Program(reuse, sandbox.watchCommand(TOOLS, '--no-guard'), env);
    await race.line(/watching/);
    const victim = Number((await race.line(/^victim/)).split(' ')[1]);
    if (n > 1) await until('the tool has it', () => isAll([victim], LOW));
    race.child.stdin?.end();
    expect(await race.ended).toBe(0);
    expect(race.lines).toEqual([`victim ${victim}`, `reused ${victim}`, 'stranger 5', 'ended 0']);
    expect(await entries(sandbox)).toBe(0);
    const counted = sandbox.lastSums('taut.operations').map((sum) => sum.attributes);
    expect(counted).toContainEqual(expect.objectContaining({ 'taut.outcome': outcome, 'taut.knob': 'tool_priority' }));
  },
);

test('a taut that could not raise a priority again lowers none, and says so once', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const tools = await build(agent);
  const world = ['--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--'];
  await using taut = new Program('setpriv', [...world, ...sandbox.watchCommand(TOOLS)]);
  await taut.line(/watching/);
  const later = await build(agent);
  expect(prioritiesOf([...tools, ...later])).toEqual([...tools, ...later].map(() => ORDINARY));
  expect(await taut.stop()).toBe(1);
  expect(
    taut.errors.filter((line) => /not changing the tool priority: .* never be raised again/.test(line)),
  ).toHaveLength(1);
});
