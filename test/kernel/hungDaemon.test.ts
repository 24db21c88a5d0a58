/** `taut restore` beside a taut that hangs: everything is put back, and stays so when that taut goes on. */
import { expect, test } from 'vitest';
import { tell } from '../support/conversation.ts';
import { outcome, type Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { isStopped, onRecord } from '../support/stopped.ts';
import { Sandbox } from '../support/taut.ts';

/** It goes on, and has answered everything that it was asked before: also the request that restore gave up on. */
async function goesOn(sandbox: Sandbox, taut: Program): Promise<void> {
  taut.child.kill('SIGCONT');
  const status = await outcome(sandbox.taut('status', '--json'));
  expect([status.code, JSON.parse(status.out).daemon.pid], status.err).toEqual([0, taut.pid]);
}

test.each([0, 3])('a taut that is stopped: with %i threads more that are born meanwhile', async (more) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  taut.child.kill('SIGSTOP');
  for (let i = 0; i < more; i++) await tell(agent, 'thread');
  const restore = await outcome(sandbox.taut('restore'));
  const originals = Array(more + 1).fill(50_000);
  expect([restore.code, slacks(agent.pid)], restore.err).toEqual([0, originals]);
  expect(restore.err).toMatch(/does not do it .*: its agents are put back without it/);
  await goesOn(sandbox, taut);
  await tell(agent, 'thread');
  await goesOn(sandbox, taut);
  expect([slacks(agent.pid), onRecord(sandbox)]).toEqual([[...originals, 50_000], 0]);
});

test.each(['recorded', 'written'])('a taut that is stopped in the middle of tuning (%s)', async (point) => {
  using sandbox = new Sandbox({ TAUT_FAULT: `${point}:1:SIGSTOP` });
  await using agent = await sleeper(sandbox);
  await using taut = sandbox.taut('watch', '--config', sandbox.config, '--optimize-timer-slack', '--no-guard');
  await until('it is on record', () => onRecord(sandbox) === 1);
  await until('it is stopped', () => isStopped(taut.pid));
  const restore = await outcome(sandbox.tautWith({ TAUT_FAULT: '' }, 'restore'));
  expect([restore.code, slacks(agent.pid), onRecord(sandbox)], restore.err).toEqual([0, [50_000], 0]);
  taut.child.kill('SIGCONT');
  await taut.line(/watching/);
  expect([slacks(agent.pid), onRecord(sandbox)]).toEqual([[50_000], 0]);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});
