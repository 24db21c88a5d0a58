/** taut is stopped dead at every step between identifying a thread and having verified it, and at every step back. */
import { expect, test } from 'vitest';
import type { FaultPoint } from '../../src/actuator/faultPoints.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { agentOf, ORIGINALS } from '../support/guarded.ts';
import { type Program, slacks } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';

const KILLED = 1000;

/** After a restore every thread has its original, and nothing is on record. */
async function isRestored(sandbox: Sandbox, agent: Program): Promise<void> {
  await using restore = sandbox.taut('restore', '--json');
  expect(await restore.ended, restore.errors.join('\n')).toBe(0);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
  expect((await sandbox.json<StatusDocument>('status')).ledger.entries).toBe(0);
}

const FORWARD: FaultPoint[] = ['examined', 'recorded', 'written', 'verified'];
const BACK: FaultPoint[] = ['restore-read', 'restore-written', 'restore-verified', 'restore-removed'];

test.each(
  FORWARD.flatMap((point) =>
    point === 'examined' || point === 'recorded' ? [`${point}:1`] : [`${point}:1`, `${point}:3`],
  ),
)('killed at %s while it tunes, everything can be put back', async (fault) => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = sandbox.tautWith(
    { TAUT_FAULT: fault },
    'watch',
    '--config',
    sandbox.config,
    '--optimize-timer-slack',
    '--no-guard',
  );
  expect(await taut.ended).toBe(KILLED);
  await isRestored(sandbox, agent);
});

test.each(BACK.flatMap((point) => (point === 'restore-removed' ? [`${point}:1`] : [`${point}:1`, `${point}:3`])))(
  'killed at %s, once as it ends and once in taut restore, everything can be put back',
  async (fault) => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    await using taut = sandbox.tautWith(
      { TAUT_FAULT: fault },
      'watch',
      '--config',
      sandbox.config,
      '--optimize-timer-slack',
      '--no-guard',
    );
    await taut.line(/watching/);
    expect(slacks(agent.pid)).toEqual([1, 1, 1, 1]);
    await taut.stop();
    await using again = sandbox.tautWith({ TAUT_FAULT: fault }, 'restore');
    await again.ended;
    await isRestored(sandbox, agent);
  },
);

test('two restores side by side put everything back once', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await (await sandbox.watch('--optimize-timer-slack', '--no-guard')).stop('SIGKILL');
  await using first = sandbox.taut('restore');
  await using second = sandbox.taut('restore');
  expect([await first.ended, await second.ended]).toEqual([0, 0]);
  await isRestored(sandbox, agent);
});

test('beside a running daemon, restore has it put back its own, and the daemon goes on', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const { restored } = await sandbox.json<{ restored: number }>('restore', '--agent', 'fixture-agent');
  expect(restored).toBe(4);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
  const status = await sandbox.json<StatusDocument>('status');
  expect(status).toMatchObject({ agents: [{ pid: agent.pid, target: null }], ledger: { entries: 0 } });
  expect(await taut.stop()).toBe(0);
  expect(taut.errors.filter((line) => line.includes('somebody else'))).toEqual([]);
});

test('puts back just what it is asked for: a process, an agent, a rule, what is old', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await (await sandbox.watch('--optimize-timer-slack', '--no-guard')).stop('SIGKILL');
  const listed = async (...args: string[]) =>
    (await sandbox.json<{ entries: unknown[] }>('restore', '--dry-run', ...args)).entries.length;
  expect(await listed()).toBe(4);
  expect(await listed(String(agent.pid))).toBe(4);
  expect(await listed(String(process.pid))).toBe(0);
  expect(await listed('--agent', 'fixture-agent', '--rule', 'fixture')).toBe(4);
  expect(await listed('--agent', 'nobody')).toBe(0);
  expect(await listed('--older-than', '1h')).toBe(0);
  await isRestored(sandbox, agent);
});

test('a daemon that does not answer is done without, and has nothing left to put back when it goes on', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  taut.child.kill('SIGSTOP');
  await using restore = sandbox.taut('restore');
  expect(await restore.ended, restore.errors.join('\n')).toBe(0);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
  taut.child.kill('SIGCONT');
  expect(await taut.stop(), taut.errors.join('\n')).toBe(0);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
});
