/** Flags of real services: after each change exactly those threads are tuned that the flag says, whatever becomes of the service. */
import { hostname } from 'node:os';
import { FlagdCore } from '@openfeature/flagd-core';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { crewIn, threadsWith } from '../kernel/endings/crew.ts';
import { compiled } from '../support/compiled.ts';
import { Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { onRecord } from '../support/stopped.ts';
import { Sandbox } from '../support/taut.ts';
import { flagdFlags, SERVICES, type Values, type Wish } from './flagServices.ts';

const crew = compiled('crew');
const ORIGINAL = 50_000;
const NAMES = ['first', 'second'] as const;
const THREADS = 2;

function someValues(): Values {
  const on = 10_000 + Math.floor(Math.random() * 15_000);
  return { on, other: on + 15_000 };
}

/** Agents of a name: they end with the test, however it ends. */
async function agentsNamed(stack: AsyncDisposableStack, mark: string, n: number): Promise<readonly number[]> {
  const program = stack.use(new Program(crew, [String(n), String(THREADS), String(process.pid), `@${mark}`]));
  await program.line(/^ready/);
  const pids = crewIn(program.lines);
  stack.defer(() => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });
  return pids;
}

interface Agent {
  readonly pid: number;
  readonly name: string;
}

const status = (sandbox: Sandbox) => sandbox.json<StatusDocument>('status');

/** Who gets which value, by the engine for flagd's flags; a quarter of another engine's is what it has told taut. */
async function wanted(wish: Wish, agents: readonly Agent[], values: Values, sandbox: Sandbox, isFlagd: boolean) {
  if (wish === 'quarter' && !isFlagd) {
    const told = new Map((await status(sandbox)).agents.map(({ pid, gate }) => [pid, gate.value]));
    return agents.map(({ pid }) => told.get(pid) ?? ORIGINAL);
  }
  const engine = new FlagdCore();
  engine.setConfigurations(flagdFlags(wish, values));
  return agents.map(({ pid, name }) => {
    const context = { targetingKey: `${hostname()}/${pid}`, pid, agent: name };
    const said = engine.resolveStringEvaluation('taut.optimize-timer-slack', 'none', context).value;
    return said === 'off' ? ORIGINAL : Number.parseInt(said, 10);
  });
}

test.each(Object.entries(SERVICES))(
  '%s: after each change exactly those agents are tuned that it says, and no other thread of this host',
  async (name, start) => {
    // A service that is asked about each agent takes longer.
    const isAsked = name === 'flagd' || name.startsWith('OFREP');
    const each = isAsked ? 25 : 100;
    await using stack = new AsyncDisposableStack();
    const sandbox = stack.use(new Sandbox());
    sandbox.useRules(NAMES.map((one) => ({ id: one, name: one, anyArg: [`${sandbox.mark}-${one}`] })));
    const values = someValues();
    const service = stack.use(await start(values, sandbox.dir));
    const agents: Agent[] = [];
    for (const one of NAMES)
      agents.push(...(await agentsNamed(stack, `${sandbox.mark}-${one}`, each)).map((pid) => ({ pid, name: one })));
    const taut = stack.use(await sandbox.watch(...service.options));
    await until('all are there', async () => (await status(sandbox)).agents.length === agents.length);
    const times: string[] = [];
    const steps: Wish[] = ['on', { agent: 'first' }, 'quarter', 'other', { agent: 'second' }, 'off'];
    for (const wish of steps) {
      const isFlagd = !name.startsWith('OFREP');
      const startMs = performance.now();
      service.set(wish);
      // What the service has told is asked for once it has said something else than everybody or nobody.
      const isTold = wish === 'quarter' && !isFlagd;
      const some = async () => {
        const got = await wanted(wish, agents, values, sandbox, isFlagd);
        return got.some((value) => value === values.on) && got.some((value) => value === ORIGINAL) ? got : undefined;
      };
      if (isTold) await until('it says a quarter', async () => share(await some(), values.on) < 0.6);
      let want = await wanted(wish, agents, values, sandbox, isFlagd);
      const isRight = () => agents.every(({ pid }, i) => slacks(pid).every((ns) => ns === want[i]));
      await until(`${JSON.stringify(wish)} is in force`, async () => {
        if (isTold) want = await wanted(wish, agents, values, sandbox, isFlagd);
        return isRight();
      });
      times.push(`${typeof wish === 'string' ? wish : 'by agent'} ${Math.round(performance.now() - startMs)} ms`);
      const tuned = want.filter((ns) => ns !== ORIGINAL).length;
      if (wish === 'quarter') expect(tuned / agents.length).toBeGreaterThan(0.02);
      if (wish === 'quarter') expect(tuned / agents.length).toBeLessThan(0.6);
      const all = [...threadsWith(values.on), ...threadsWith(values.other)];
      expect(all, 'of all threads of this host').toHaveLength(tuned * THREADS);
      await until('the record says the same', () => onRecord(sandbox) === tuned * THREADS);
    }
    console.info(`${name}, ${agents.length} agents: from the change to every thread right: ${times.join(', ')}`);
    expect(await taut.stop()).toBe(0);
  },
);

function share(values: readonly number[] | undefined, value: number): number {
  return values === undefined ? 1 : values.filter((one) => one === value).length / values.length;
}

const { 'a flag file': _, ...REMOTE } = SERVICES;

test.each(Object.entries(REMOTE))(
  '%s answers slowly, hangs, dies and returns: nobody is put back, nobody new is tuned, and each is said once',
  async (_name, start) => {
    await using stack = new AsyncDisposableStack();
    const sandbox = stack.use(new Sandbox());
    const values = someValues();
    const service = stack.use(await start(values, sandbox.dir));
    service.set('on');
    const agent = stack.use(await sleeper(sandbox));
    const taut = stack.use(await sandbox.watch(...service.options));
    const said = () => taut.errors.filter((line) => line.includes('the flag provider'));
    const has = (program: Program, ns: number) =>
      until(`${program.pid} has ${ns}`, () => slacks(program.pid)[0] === ns);
    const reasonOf = async ({ pid }: Program) =>
      (await status(sandbox)).agents.find((one) => one.pid === pid)?.gate.reason ?? '';
    /** It is down: who is there keeps what it has, and who comes is left alone. */
    const isDown = async (times: number) => {
      await until('it is said', () => said().length === times);
      await until('it is the last known', async () => (await reasonOf(agent)).includes('as was last known'));
      const later = stack.use(await sleeper(sandbox));
      await until('the later one is decided on', async () => (await reasonOf(later)).startsWith('flag provider'));
      expect([slacks(agent.pid), slacks(later.pid)]).toEqual([[values.on], [ORIGINAL]]);
      return later;
    };
    await has(agent, values.on);
    service.slow?.(300);
    service.set('other');
    await has(agent, values.other);
    service.slow?.(0);
    service.set('on');
    await has(agent, values.on);
    expect(said(), 'slow answers are answers').toEqual([]);
    let down = 0;
    if (service.hang) {
      service.hang(true);
      service.set('off');
      const later = await isDown(++down);
      service.hang(false);
      service.set('on');
      await has(later, values.on);
      down++;
      await until('it is said', () => said().length === down);
    }
    await service.die();
    const later = await isDown(++down);
    await service.return();
    await has(later, values.on);
    await until('it is said', () => said().length === down + 1);
    service.set('off');
    for (const one of [agent, later]) await has(one, ORIGINAL);
    expect(said()).toHaveLength(down + 1);
    expect(await taut.stop()).toBe(0);
  },
);

test('environment variables of taut decide, also one that is a value', async () => {
  const { on } = someValues();
  using sandbox = new Sandbox({ TAUT_OPTIMIZE_TIMER_SLACK: `${on}ns` });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--flag-provider', '@openfeature/env-var-provider');
  await until('it is tuned', () => slacks(agent.pid)[0] === on);
  expect(await status(sandbox)).toMatchObject({
    flagProvider: { name: 'environment variable', state: 'READY' },
    agents: [{ knobs: [{ target: on }, { target: null }, { target: null }] }],
  });
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([ORIGINAL]);
});
