/** The scheduler's slice has everything that timer slack has; what the kernel says of it is read by another program. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { ask, tell } from '../support/conversation.ts';
import { Program, slacks, threadIds, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const reuse = compiled('reuse');
const SLICE = '--optimize-sched-slice';
const TARGET = 100_000;
const CUSTOM = 3_000_000;

const schedattr = (...args: (string | number)[]) =>
  execFileSync('python3', [join(FIXTURES, 'schedattr.py'), ...args.map(String)], { encoding: 'utf8' });

interface Attributes {
  readonly policy: number;
  readonly flags: number;
  readonly nice: number;
  readonly slice: number;
}

/** Of every thread of a process, the main thread first. */
function attributes(pid: number): Attributes[] {
  const lines = schedattr('get', ...threadIds(pid))
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [policy = Number.NaN, flags = Number.NaN, nice = Number.NaN, slice = Number.NaN] = line
      .split(' ')
      .map(Number);
    return { policy, flags, nice, slice };
  });
}

const slicesOf = (pid: number) => attributes(pid).map(({ slice }) => slice);

const DEFAULT = (() => {
  // Of a process that nobody has changed.
  const own = schedattr('get', process.pid).split(' ');
  return Number(own[3]);
})();

/** An agent with this many threads beside its first. */
async function agentOf(sandbox: Sandbox, threads: number): Promise<Program> {
  const agent = sandbox.python('sleeper.py');
  await agent.line(/^ready/);
  for (let i = 0; i < threads; i++) await tell(agent, 'thread');
  return agent;
}

test('every thread of an agent gets it, also later ones, and the default back; a child that no rule names does not keep it', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 3);
  await using taut = await sandbox.watch(SLICE);
  expect(slicesOf(agent.pid)).toEqual(Array(4).fill(TARGET));
  await tell(agent, 'thread');
  const child = Number((await ask(agent, 'child')).split(' ')[1]);
  await until('the child has the default', () => slicesOf(child)[0] === DEFAULT);
  const knobs = async () => (await sandbox.json<StatusDocument>('status')).agents[0]?.knobs;
  await until('the later thread is known', async () =>
    ((await knobs()) ?? []).some(({ id, threads }) => id === 'sched_slice_ns' && threads.tuned === 5),
  );
  expect(await knobs()).toMatchObject([
    { id: 'timer_slack_ns', target: null },
    { id: 'sched_slice_ns', target: TARGET, threads: { total: 5, tuned: 5 } },
    { id: 'tool_priority', target: null, threads: { total: 0 } },
  ]);
  expect(slacks(agent.pid)).toEqual(Array(5).fill(50_000));
  expect(await taut.stop()).toBe(0);
  expect(slicesOf(agent.pid)).toEqual(Array(5).fill(DEFAULT));
});

test('what a thread had comes back: a slice of its own, with its nice value, its policy and its flags as they were', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 4);
  const [, custom = 0, nice = 0, batch = 0, reset = 0] = threadIds(agent.pid);
  schedattr('slice', CUSTOM, custom);
  await using renice = new Program('renice', ['-n', '7', '-p', String(nice)]);
  expect(await renice.ended).toBe(0);
  execFileSync('chrt', ['--batch', '-p', '0', String(batch)]);
  schedattr('reset-on-fork', reset);
  const before = attributes(agent.pid);
  expect(new Set(before.map((one) => JSON.stringify(one))).size).toBe(5);
  await using taut = await sandbox.watch(SLICE);
  expect(attributes(agent.pid)).toEqual(before.map((one) => ({ ...one, slice: TARGET })));
  expect(await taut.stop()).toBe(0);
  expect(attributes(agent.pid)).toEqual(before);
});

test('a slice of its own comes back as its own, also where it is as long as the default, and the default as the default', async () => {
  using sandbox = new Sandbox();
  using tracer = new Tracer({ slices: true });
  await using agent = await agentOf(sandbox, 1);
  // A thread that asks for as much as it has is left as it is by the kernel.
  for (const ns of [CUSTOM, DEFAULT]) schedattr('slice', ns, agent.pid);
  const [main = 0, other = 0] = threadIds(agent.pid);
  const before = [slicesOf(agent.pid), tracer.ownSlices(agent.pid)];
  expect(before).toEqual([
    [DEFAULT, DEFAULT],
    new Map([
      [main, true],
      [other, false],
    ]),
  ]);
  await using taut = await sandbox.watch(SLICE);
  expect([slicesOf(agent.pid), tracer.ownSlices(agent.pid)]).toEqual([
    [TARGET, TARGET],
    new Map([
      [main, true],
      [other, true],
    ]),
  ]);
  expect(await taut.stop()).toBe(0);
  expect([slicesOf(agent.pid), tracer.ownSlices(agent.pid)]).toEqual(before);
});

test('makes no slice longer: a thread that asks for less than the target is left alone', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 1);
  schedattr('slice', 200_000, agent.pid);
  await using taut = await sandbox.watch(`${SLICE}=500us`);
  expect(slicesOf(agent.pid)).toEqual([200_000, 500_000]);
  expect(await taut.stop()).toBe(0);
  expect(slicesOf(agent.pid)).toEqual([200_000, DEFAULT]);
});

test.each([
  ['a storm of children', 100, 1, false],
  ['children that run as long as a compiler', 4, 15_000, false],
  ['children that have ended when taut looks', 20, 1, true],
])(
  '%s: what they ran with the slice of the agent is counted, and not what they ran after that',
  async (_, n, us, isHeld) => {
    using sandbox = new Sandbox();
    await using agent = sandbox.python('burner.py');
    await agent.line(/^ready/);
    await using taut = await sandbox.watch(SLICE);
    const counted = async () => {
      const [agents] = (await sandbox.json<StatusDocument>('status')).agents;
      const knob = agents?.knobs.find(({ id }) => id === 'sched_slice_ns');
      return Math.round((knob?.inheritedCpu ?? Number.NaN) * 1e9);
    };
    const said = async (command: string) => Number((await ask(agent, command)).split(' ')[1]);
    if (isHeld) process.kill(taut.pid, 'SIGSTOP');
    const low = await said(`burn ${n} ${us}`);
    if (isHeld) process.kill(taut.pid, 'SIGCONT');
    await until('all is counted that they ran for certain', async () => (await counted()) >= low);
    const high = await said('reap');
    const ns = await counted();
    expect(ns).toBeGreaterThan(0);
    expect(ns).toBeLessThanOrEqual(high);
    expect(await taut.stop()).toBe(0);
    const [exported] = sandbox.lastSums('taut.inherited.cpu');
    expect(Math.round((exported?.value ?? Number.NaN) * 1e9)).toBe(ns);
  },
);

test('a target that is the number of the default is known again: it is read back, contained, and put back', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 0);
  schedattr('slice', 10 * DEFAULT, agent.pid);
  await using taut = await sandbox.watch(`${SLICE}=${DEFAULT}ns`);
  const child = Number((await ask(agent, 'child')).split(' ')[1]);
  await until('the child has what the agent had', () => slicesOf(child)[0] === 10 * DEFAULT);
  const [, slice] = (await sandbox.json<StatusDocument>('status')).agents[0]?.knobs ?? [];
  expect(slice).toMatchObject({ target: DEFAULT, threads: { total: 1, tuned: 1 } });
  expect(slicesOf(agent.pid)).toEqual([DEFAULT]);
  expect(await taut.stop()).toBe(0);
  expect(slicesOf(agent.pid)).toEqual([10 * DEFAULT]);
});

test.each([
  ['--fifo', '10'],
  ['--idle', '0'],
])(
  'a thread under %s is exempt, tuned when it has an ordinary policy again, and then gets back what it had before',
  async (policy, priority) => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox, 1);
    const [, tid = 0] = threadIds(agent.pid);
    schedattr('slice', CUSTOM, tid);
    execFileSync('chrt', [policy, '-p', priority, String(tid)]);
    await using taut = await sandbox.watch(SLICE);
    const exempt = async () =>
      (await sandbox.json<StatusDocument>('status')).agents[0]?.knobs.find(({ id }) => id === 'sched_slice_ns')?.threads
        .exempt;
    expect(await exempt()).toBe(1);
    execFileSync('chrt', ['--other', '-p', '0', String(tid)]);
    await until('it is tuned', () => slicesOf(agent.pid).every((slice) => slice === TARGET));
    expect(await taut.stop()).toBe(0);
    expect(slicesOf(agent.pid)).toEqual([DEFAULT, CUSTOM]);
  },
);

test('a slice that somebody else has set since is reported once, and stays', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 0);
  await using taut = await sandbox.watch(SLICE);
  schedattr('slice', 5_000_000, agent.pid);
  await taut.line(/scheduler slice of thread \d+ .* was set to 5 ms by somebody else/);
  expect(await taut.stop()).toBe(0);
  expect(slicesOf(agent.pid)).toEqual([5_000_000]);
  expect(taut.errors.filter((line) => line.includes('somebody else'))).toHaveLength(1);
});

test('a thread that was born while taut was dead gets back both', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 1);
  await (await sandbox.watch(SLICE, '--optimize-timer-slack', '--no-guard')).stop('SIGKILL');
  await tell(agent, 'thread');
  expect([slicesOf(agent.pid), slacks(agent.pid)]).toEqual([Array(3).fill(TARGET), [1, 1, 1]]);
  await sandbox.json('restore');
  expect([slicesOf(agent.pid), slacks(agent.pid)]).toEqual([Array(3).fill(DEFAULT), Array(3).fill(50_000)]);
});

test('a taut that runs under a short slice itself knows the default all the same', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox, 1);
  const watch = sandbox.watchCommand(SLICE);
  await using taut = new Program('python3', [join(FIXTURES, 'schedattr.py'), 'under', String(TARGET), ...watch]);
  await taut.line(/watching/);
  expect(slicesOf(agent.pid)).toEqual([TARGET, TARGET]);
  expect(await taut.stop()).toBe(0);
  expect(slicesOf(agent.pid)).toEqual([DEFAULT, DEFAULT]);
});

test('a thread whose id another one gets just before the write: that one has what it had, and the outcome is foreign', async () => {
  using sandbox = new Sandbox();
  using tracer = new Tracer({ slices: true });
  const env = { ...process.env, REUSE_MARK: sandbox.mark };
  await using race = new Program(reuse, sandbox.watchCommand(SLICE, '--no-guard'), env);
  const stranger = Number((await race.line(/^reused/)).split(' ')[1]);
  expect(race.lines).toContain(`victim ${stranger}`);
  await race.line(/watching/);
  expect(attributes(stranger)).toEqual([{ policy: 0, flags: 0, nice: 0, slice: DEFAULT }]);
  expect(tracer.ownSlices(stranger)).toEqual(new Map([[stranger, false]]));
  expect((await sandbox.json<StatusDocument>('status')).ledger.entries).toBe(0);
  race.child.stdin?.end();
  expect(await race.ended).toBe(0);
  expect(race.lines.at(-1)).toBe('ended 0');
  const tuned = sandbox.lastSums('taut.operations').filter((sum) => sum.attributes['taut.operation'] === 'tune');
  expect(tuned).toMatchObject([{ value: 1, attributes: { 'taut.outcome': 'foreign', 'taut.knob': 'sched_slice_ns' } }]);
});

test("without CAP_SYS_NICE, another user's agent is not changed, and that is said once", async () => {
  using sandbox = new Sandbox();
  const other = ['--reuid=4242', '--regid=4242', '--clear-groups', '--'];
  const waits = ['sh', '-c', 'echo ready; read line', sandbox.mark];
  await using agent = new Program('setpriv', [...other, ...waits]);
  await agent.line(/^ready/);
  const world = ['--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--'];
  await using taut = new Program('setpriv', [...world, ...sandbox.watchCommand(SLICE)]);
  await taut.line(/watching/);
  expect(slicesOf(agent.pid)).toEqual([DEFAULT]);
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => /scheduler slice .*initial user namespace/.test(line))).toHaveLength(1);
});

/** What a taut that is started with this says of the kernel. */
function support(...start: string[]): { ok: boolean; detail: string; mend: string } {
  const source = join(import.meta.dirname, '../../src/actuator/schedSlice.ts');
  const say = `import { schedSlice } from ${JSON.stringify(source)}; console.log(JSON.stringify(schedSlice.support()))`;
  const [command = '', ...args] = [...start, process.execPath, '--input-type=module', '-e', say];
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8', cwd: '/' }));
}

test.each([
  ['idle', ['chrt', '-i', '0']],
  ['batch', ['chrt', '-b', '0']],
  ['real-time', ['chrt', '-f', '1']],
  ['real-time, which no child inherits', ['chrt', '-R', '-f', '1']],
])('what a kernel can do is told by a taut of the policy %s as by an ordinary one', (_, start) => {
  expect(support(...start)).toEqual(support('chrt', '-o', '0'));
});

test('who may not leave the idle policy is told that the kernel could not be asked, not to run another one', () => {
  const other = ['setpriv', '--reuid=4242', '--regid=4242', '--clear-groups', '--'];
  const { ok, detail, mend } = support(...other, 'chrt', '-i', '0');
  expect(ok).toBe(false);
  expect(detail).toMatch(/could not be told .*EPERM/);
  expect(mend).toContain('chrt -o 0');
});
