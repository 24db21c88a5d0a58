/** Threads, agents and children made as fast as they can be: all are accounted for, and nothing is left behind. */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { creationTimeMs } from '../../src/proc/clock.ts';
import { tell } from '../support/conversation.ts';
import { Program, slacks, threadIds, until } from '../support/program.ts';
import { attachSpans } from '../support/spans.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const status = (sandbox: Sandbox) => sandbox.json<StatusDocument>('status');

test('threads: whatever is left of 20,000 is tuned, and the ledger holds no more than lives', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const before = openFiles(taut.pid);
  await tell(agent, 'threads 20000');
  await tell(agent, 'reap');
  await until('all threads are tuned and on record', async () => {
    const { agents, ledger } = await status(sandbox);
    const { total, tuned } = agents[0]?.threads ?? {};
    return total === tuned && ledger.entries === threadIds(agent.pid).length;
  });
  expect(slacks(agent.pid).every((ns) => ns === 1)).toBe(true);
  expect(openFiles(taut.pid)).toBeLessThanOrEqual(before + 2);
  expect(taut.errors.filter((line) => /error/.test(line))).toEqual([]);
  await taut.stop();
  expect(slacks(agent.pid).every((ns) => ns === 50_000)).toBe(true);
});

test('agents: 500 that live for 300 ms are all attached or vanished, and nothing of them is left', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const before = openFiles(taut.pid);
  const loop = `for i in $(seq 500); do (exec -a ${sandbox.mark} sleep 0.3) & sleep 0.008; done; wait`;
  await using agents = new Program('bash', ['-c', loop]);
  expect(await agents.ended).toBe(0);
  const count = (operation: string, outcome: string) =>
    sandbox
      .lastSums('taut.operations')
      .find((o) => o.attributes['taut.operation'] === operation && o.attributes['taut.outcome'] === outcome)?.value ??
    0;
  // A busy taut hears of an agent when that has ended. The loop's own shell names them, too, as its arguments hold the mark.
  await until('all are told of', () => count('attach', 'ok') + count('sight', 'vanished') >= 500, 60_000);
  await until('all are gone', async () => {
    const { agents: present, ledger } = await status(sandbox);
    return present.length === 0 && ledger.entries === 0;
  });
  expect(openFiles(taut.pid)).toBeLessThanOrEqual(before + 2);
  await taut.stop();
  const gone = count('sight', 'vanished') + count('tune', 'vanished');
  expect(count('tune', 'tuned')).toBeGreaterThanOrEqual(500 - gone);
});

test('of 500 agents that live for 300 ms among 5,000 other programs, all within 5 s, not one is missed', async () => {
  using sandbox = new Sandbox();
  const storm = join(sandbox.dir, 'storm');
  execFileSync('clang', ['-O1', '-Wall', '-Werror', '-o', storm, join(FIXTURES, 'storm.c')]);
  writeFileSync(
    sandbox.config,
    JSON.stringify({ version: 1, builtin: false, rules: [{ id: 'storm', program: sandbox.mark }] }),
  );
  await using taut = await sandbox.watch();
  await using storms = new Program(storm, [sandbox.mark, storm, '500', '5000', '4500']);
  expect(await storms.ended).toBe(0);
  // Each says itself who it was: its id, and when it began.
  const ran = storms.lines.slice(0, -1).map((line) => line.split(' ').map(Number));
  expect(ran).toHaveLength(500);
  await taut.stop();
  const found = new Map(attachSpans(sandbox.stateDir).map(({ pid, createdMs }) => [pid, createdMs]));
  const missed = ran.filter(([pid = 0, ticks = 0]) => found.get(pid) !== creationTimeMs(ticks));
  process.stderr.write(`${storms.lines.at(-1)}; ${ran.length} agents ran, ${missed.length} were missed\n`);
  expect(missed).toEqual([]);
});

test('children: an agent that forks all the time leaves nothing behind', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const before = openFiles(taut.pid);
  for (let i = 0; i < 10; i++) {
    await tell(agent, 'forks 100 0.05');
    await tell(agent, 'reap');
  }
  await until('only the agent is on record', async () => (await status(sandbox)).ledger.entries === 1);
  expect(openFiles(taut.pid)).toBeLessThanOrEqual(before + 2);
  expect(slacks(agent.pid)).toEqual([1]);
});
