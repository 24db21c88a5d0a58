/** Every knob at once, on an agent with tools: whatever step taut is killed at, and whichever is turned off, the rest holds. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { tell } from '../support/conversation.ts';
import { ofThreads, threadIds, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const ALL = '--optimize=all';
const KILLED = 1000;
const SLICE = 3_000_000;
const TUNED_SLICE = 100_000;

const schedattr = (...args: (string | number)[]) =>
  execFileSync('python3', [join(FIXTURES, 'schedattr.py'), ...args.map(String)], { encoding: 'utf8' });

interface Setting {
  readonly slack: number;
  readonly policy: number;
  readonly flags: number;
  readonly nice: number;
  readonly slice: number;
}

/** Of every thread of these processes. */
function settings(pids: readonly number[]): Setting[] {
  const slacks = pids.flatMap((pid) => ofThreads(pid, 'timerslack_ns'));
  const attributes = schedattr('get', ...slacks.map(({ tid }) => tid)).split('\n');
  return slacks.map(({ text }, i) => {
    const [policy = Number.NaN, flags = Number.NaN, nice = Number.NaN, slice = Number.NaN] = (attributes[i] ?? '')
      .split(' ')
      .map(Number);
    return { slack: Number(text), policy, flags, nice, slice };
  });
}

/** An agent that has a slice of its own, and a tool with two tools below it. */
async function agentWithTools(sandbox: Sandbox) {
  const agent = sandbox.python('tooling.py');
  await agent.line(/^ready/);
  schedattr('slice', SLICE, agent.pid);
  const before = agent.lines.length;
  agent.say('tool cat <&3 & cat <&3');
  await agent.lineAfter(before + 1);
  const tool = Number(agent.lines[before]?.split(' ')[1]);
  await until('its tools run', () => childrenOf(tool).length === 2);
  return { agent, all: [agent.pid, tool, ...childrenOf(tool)] };
}

const isTuned = (all: readonly number[]) =>
  until('all is tuned', () => {
    const [own, ...tools] = settings(all);
    return own?.slack === 1 && own.slice === TUNED_SLICE && tools.every(({ nice }) => nice === 10);
  });

/** After a restore every thread has what it had, and nothing is on record. */
async function isRestored(sandbox: Sandbox, all: readonly number[], before: readonly Setting[]): Promise<void> {
  await using restore = sandbox.tautWith({ TAUT_FAULT: '' }, 'restore');
  expect(await restore.ended, restore.errors.join('\n')).toBe(0);
  expect(settings(all)).toEqual(before);
  using ledger = new Ledger(sandbox.stateDir);
  expect(ledger.entries()).toEqual([]);
}

/** The agent is written for its slack first, then for its slice, and then each of its tools. */
const FORWARD = [
  'examined:3',
  ...[1, 2, 3].map((n) => `recorded:${n}`),
  ...[1, 2, 3, 4].map((n) => `written:${n}`),
  ...[1, 2, 3].map((n) => `verified:${n}`),
];

test.each(FORWARD)('killed at %s while it tunes, everything is put back by taut restore', async (fault) => {
  using sandbox = new Sandbox({ TAUT_FAULT: fault });
  const { agent, all } = await agentWithTools(sandbox);
  await using _agent = agent;
  const before = settings(all);
  await using taut = sandbox.taut('watch', '--config', sandbox.config, ALL, '--no-guard');
  expect(await taut.ended).toBe(KILLED);
  await isRestored(sandbox, all, before);
});

test.each(['recorded:3', 'written:2', 'verified:4'])(
  'killed at %s, everything is put back by the guard',
  async (fault) => {
    using sandbox = new Sandbox({ TAUT_FAULT: fault });
    const { agent, all } = await agentWithTools(sandbox);
    await using _agent = agent;
    const before = settings(all);
    await using taut = sandbox.taut('watch', '--config', sandbox.config, ALL);
    expect(await taut.ended).toBe(KILLED);
    using ledger = new Ledger(sandbox.stateDir);
    await until('nothing is on record', () => ledger.count() === 0);
    expect(settings(all)).toEqual(before);
  },
);

const BACK = [
  'restore-read:2',
  ...[1, 2, 4].map((n) => `restore-written:${n}`),
  ...[1, 4].map((n) => `restore-verified:${n}`),
  ...[1, 2].map((n) => `restore-removed:${n}`),
];

test.each(BACK)('killed at %s, as it ends and in taut restore, the next restore does the rest', async (fault) => {
  using sandbox = new Sandbox({ TAUT_FAULT: fault });
  const { agent, all } = await agentWithTools(sandbox);
  await using _agent = agent;
  const before = settings(all);
  await using taut = await sandbox.watch(ALL, '--no-guard');
  await isTuned(all);
  expect(await taut.stop()).toBe(KILLED);
  await using again = sandbox.taut('restore');
  await again.ended;
  await isRestored(sandbox, all, before);
});

test('each is turned off by its own flag while the others stay', async () => {
  using sandbox = new Sandbox();
  const path = join(sandbox.dir, 'flags.json');
  const names = ['timer-slack', 'sched-slice', 'tools'] as const;
  const set = (off?: string) => {
    const flag = (name: string) => ({
      ...{ state: 'ENABLED', variants: { on: true, off: false } },
      defaultVariant: name === off ? 'off' : 'on',
    });
    const flags = Object.fromEntries(names.map((name) => [`taut.optimize-${name}`, flag(name)]));
    writeFileSync(path, JSON.stringify({ flags }));
  };
  set();
  const { agent, all } = await agentWithTools(sandbox);
  await using _agent = agent;
  const before = settings(all);
  await using taut = await sandbox.watch('--flags', path);
  /** The agent's slack and slice, and the nice values of its tools. */
  const now = () => {
    const [own, ...tools] = settings(all);
    return [own?.slack, own?.slice, ...new Set(tools.map(({ nice }) => nice))];
  };
  await isTuned(all);
  for (const [off, wanted] of [
    ['timer-slack', [50_000, TUNED_SLICE, 10]],
    ['sched-slice', [1, SLICE, 10]],
    ['tools', [1, TUNED_SLICE, 0]],
  ] as const) {
    set(off);
    await until(`${off} is off, and the others are on`, () => String(now()) === String(wanted));
    set();
    await isTuned(all);
  }
  expect(await taut.stop()).toBe(0);
  expect(settings(all)).toEqual(before);
});

/** What a thread may have of its own, by what gives it that. */
const OWN: readonly ((tid: number) => void)[] = [
  () => {},
  (tid) => void schedattr('slice', SLICE, tid),
  (tid) => writeFileSync(`/proc/${tid}/timerslack_ns`, '60000'),
  (tid) => setPriority(tid, 7),
  (tid) => void execFileSync('chrt', ['--batch', '-p', '0', String(tid)]),
  (tid) => void schedattr('reset-on-fork', tid),
];
const EXEMPT = [
  ['--idle', '0'],
  ['--fifo', '10'],
] as const;

test('what each thread and each tool had of its own comes back, also where that has another policy for a while', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('sleeper.py');
  await agent.line(/^ready/);
  const kinds = OWN.length + EXEMPT.length;
  for (let i = 1; i < kinds; i++) await tell(agent, 'thread');
  for (let i = 0; i < kinds; i++) await tell(agent, 'child');
  const tools = agent.lines.flatMap((line) => (line.startsWith('child ') ? Number(line.split(' ')[1]) : []));
  const threads = threadIds(agent.pid);
  for (const tids of [threads, tools]) for (const [i, give] of OWN.entries()) give(tids[i] ?? 0);
  const all = [agent.pid, ...tools];
  const before = settings(all);
  const chrt = (words: readonly string[], tid: number | undefined) =>
    execFileSync('chrt', [...words.slice(0, 1), '-p', ...words.slice(1), String(tid)]);
  for (const tids of [threads, tools]) for (const [i, words] of EXEMPT.entries()) chrt(words, tids[OWN.length + i]);

  await using taut = await sandbox.watch(ALL);
  const tuned = (isBack: boolean) => {
    const own = before.slice(0, kinds).map((one) => ({ ...one, slack: 1, slice: TUNED_SLICE }));
    const its = before.slice(kinds).map((one) => (one.nice === 0 && one.policy === 0 ? { ...one, nice: 10 } : one));
    const wanted = [...own, ...its];
    return isBack ? wanted : wanted.filter((_, i) => i % kinds < OWN.length);
  };
  const ordinary = () => settings(all).filter((_, i) => i % kinds < OWN.length);
  await until('what can be tuned is', () => JSON.stringify(ordinary()) === JSON.stringify(tuned(false)));
  for (const tids of [threads, tools]) for (const tid of tids.slice(OWN.length)) chrt(['--other', '0'], tid);
  await until('the others are, too', () => JSON.stringify(settings(all)) === JSON.stringify(tuned(true)));
  expect(await taut.stop()).toBe(0);
  expect(settings(all)).toEqual(before);
});
