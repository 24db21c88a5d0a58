/** `taut watch` on real processes: what is written, to whom, and that it is put back. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { tell } from '../support/conversation.ts';
import { type Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { attribute, spansOf } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';

const every = (pid: number, ns: number) => slacks(pid).every((slack) => slack === ns);

test('tunes every thread of an agent that runs already, of one that starts later, and of their later threads', async () => {
  using sandbox = new Sandbox();
  await using early = sandbox.node('agent.mjs');
  await early.line(/^ready/);
  await tell(early, 'pool');
  await using stranger = new Sandbox().node('agent.mjs');
  await stranger.line(/^ready/);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(slacks(early.pid).length).toBeGreaterThanOrEqual(11);
  expect(every(early.pid, 1)).toBe(true);

  await using late = sandbox.node('agent.mjs');
  await late.line(/^ready/);
  await until('the late one is tuned', () => every(late.pid, 1));
  for (const agent of [early, late]) {
    const before = slacks(agent.pid).length;
    await tell(agent, 'worker');
    await until('the worker is there', () => slacks(agent.pid).length > before);
    await until('the worker is tuned', () => every(agent.pid, 1));
  }
  expect(every(stranger.pid, 50_000)).toBe(true);

  expect(await taut.stop()).toBe(0);
  for (const agent of [early, late, stranger]) expect(new Set(slacks(agent.pid))).toEqual(new Set([50_000]));
  const { ledger } = await sandbox.json<StatusDocument>('status');
  expect(ledger.entries).toBe(0);
});

/** The operations under which each agent's threads are on record. */
function operations({ stateDir }: Sandbox, agents: readonly Program[]): string[] {
  using ledger = new Ledger(stateDir);
  return agents.flatMap(({ pid }) => [...new Set(ledger.entries({ pids: [pid] }).map((e) => e.operation))]);
}

test.each([
  ['with traces', {}],
  ['without any', { OTEL_SDK_DISABLED: 'true' }],
])('each agent is on record under an operation of its own, %s', async (_, env) => {
  using sandbox = new Sandbox(env);
  const agents = [await sleeper(sandbox), await sleeper(sandbox)] as const;
  await using _one = agents[0];
  await using _two = agents[1];
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const recorded = operations(sandbox, agents);
  expect(recorded).toHaveLength(2);
  expect(new Set(recorded).size).toBe(2);
  expect(await taut.stop()).toBe(0);
  if ('OTEL_SDK_DISABLED' in env) return;
  const tunes = spansOf(sandbox.stateDir, 'tune');
  const pids = new Map(tunes.map((span) => [attribute(span, 'taut.ledger.operation'), attribute(span, 'process.pid')]));
  expect(recorded.map((operation) => Number(pids.get(operation)))).toEqual(agents.map(({ pid }) => pid));
});

test('puts back what was there before, also where that was not the default', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  await tell(agent, 'slack 7777');
  await tell(agent, 'thread'); // inherits 7777
  const before = slacks(agent.pid);
  expect(new Set(before)).toEqual(new Set([50_000, 7777]));
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(every(agent.pid, 1)).toBe(true);
  await tell(agent, 'thread'); // born tuned
  await until('the new thread is known', async () => {
    const status = await sandbox.json<StatusDocument>('status');
    return status.agents[0]?.threads.tuned === 4;
  });
  await taut.stop();
  expect(slacks(agent.pid).slice(0, 3)).toEqual(before);
  expect(slacks(agent.pid)[3]).toBe(7777);
});

test('makes no thread later: one that has less slack than the target is left alone', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'slack 500');
  await using taut = await sandbox.watch('--optimize-timer-slack=10us');
  expect(slacks(agent.pid)).toEqual([500]);
  await tell(agent, 'slack 50000');
  await taut.stop();
  expect(slacks(agent.pid)).toEqual([50_000]);
});

for (const [how, recover] of [
  ['taut restore', (sandbox: Sandbox) => sandbox.json('restore')],
  ['the next start', (sandbox: Sandbox) => sandbox.watch()],
] as const)
  test(`after SIGKILL, ${how} puts everything back`, async () => {
    using sandbox = new Sandbox();
    await using agent = await sleeper(sandbox);
    await tell(agent, 'slack 7777');
    await tell(agent, 'thread');
    const taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
    await taut.stop('SIGKILL');
    await tell(agent, 'thread'); // born tuned, and nobody there to write it down
    expect(every(agent.pid, 1)).toBe(true);
    const recovered = await recover(sandbox);
    expect(slacks(agent.pid)).toEqual([7777, 7777, 7777]);
    if (Symbol.asyncDispose in (recovered as object)) await (recovered as Program).stop();
    const { ledger } = await sandbox.json<StatusDocument>('status');
    expect(ledger.entries).toBe(0);
  });

test('restores by comparison: what somebody else has set since is drift, and stays', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  const taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
  await taut.stop('SIGKILL');
  await tell(agent, 'slack 12345');
  interface Restored {
    restored: number;
    drifted: number;
    entries: { tid: number; outcome: string; was: number; original: number }[];
  }
  const dry = await sandbox.json<Restored>('restore', '--dry-run');
  expect([dry.restored, dry.drifted]).toEqual([1, 1]);
  expect(slacks(agent.pid)).toEqual([12_345, 1]);
  const done = await sandbox.json<Restored>('restore');
  expect(done.entries.find((e) => e.outcome === 'drifted')).toMatchObject({
    tid: agent.pid,
    was: 12_345,
    original: 50_000,
  });
  expect(slacks(agent.pid)).toEqual([12_345, 50_000]);
  expect((await sandbox.json<Restored>('restore')).entries).toEqual([]);
});

test('a child process that no rule names does not keep the slack of its agent', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.node('agent.mjs');
  await agent.line(/^ready/);
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  await tell(agent, 'tool');
  const tool = Number((await agent.line(/^tool/)).split(' ')[1]);
  await until('the tool has its original back', () => every(tool, 50_000));
  expect(every(agent.pid, 1)).toBe(true);
});

test('follows a feature flag while it runs, both ways', async () => {
  using sandbox = new Sandbox();
  const flags = join(sandbox.dir, 'flags.json');
  const set = (variant: string) => {
    const flag = { state: 'ENABLED', variants: { on: true, fine: '10us', off: false }, defaultVariant: variant };
    writeFileSync(flags, JSON.stringify({ flags: { 'taut.optimize-timer-slack': flag } }));
  };
  set('off');
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--flags', flags);
  expect(slacks(agent.pid)).toEqual([50_000]);
  for (const [variant, ns] of [
    ['on', 1],
    ['fine', 10_000],
    ['off', 50_000],
    ['on', 1],
  ] as const) {
    set(variant);
    await until(`${variant} is in force`, () => every(agent.pid, ns));
  }
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('without the flag nothing is opened for writing, while the histograms fill', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const trace = join(sandbox.dir, 'strace');
  await using taut = await sandbox.traced(trace, 'watch', '--config', sandbox.config);
  await taut.line(/watching/);
  await tell(agent, 'sleep 50 500');
  await taut.stop();
  const opened = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes('timerslack_ns'));
  expect(opened.filter((line) => /O_WRONLY|O_RDWR|creat\(/.test(line))).toEqual([]);
  expect(readFileSync(trace, 'utf8')).toContain('openat(');
  expect(sandbox.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
});

test('counts exactly the sleeps of an agent in what it exports', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  await tell(agent, 'sleep 200 700');
  await taut.stop();
  const counted = sandbox.lastCount('taut.timer.lateness');
  expect(counted).toBeLessThanOrEqual(200);
  // What is missing was discarded for a reason that is counted, of all threads together.
  const discarded = sandbox
    .lastSums('taut.tracer.events')
    .filter(({ attributes }) => attributes['taut.tracer.outcome'] === 'discarded')
    .reduce((sum, { value }) => sum + value, 0);
  expect(counted + discarded).toBeGreaterThanOrEqual(200);
});
