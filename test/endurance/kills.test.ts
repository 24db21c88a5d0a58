/** Killed at any moment, often: after each, one restore leaves every thread at its original and the ledger empty. */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { kill } from '../kernel/endings/processes.ts';
import { tell } from '../support/conversation.ts';
import { guardsOf, isRunning } from '../support/guarded.ts';
import { type Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

const KILLS = 200;
const GUARDED_KILLS = 50;

async function agentOf(sandbox: Sandbox): Promise<Program> {
  const agent = await sleeper(sandbox);
  await tell(agent, 'slack 7777');
  for (let i = 0; i < 15; i++) await tell(agent, 'thread');
  return agent;
}

test(`${KILLS} kills at random moments, of taut watch and of taut restore`, async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const originals = slacks(agent.pid);
  const unguarded = ['watch', '--config', sandbox.config, '--optimize-timer-slack', '--no-guard'] as const;
  // The moments are around the one at which it tunes on this machine.
  const begin = performance.now();
  await using first = sandbox.taut(...unguarded);
  await until('it tunes', () => slacks(agent.pid).includes(1));
  const startMs = performance.now() - begin;
  expect(await first.stop()).toBe(0);
  let tuned = 0;
  for (let round = 0; round < KILLS; round++) {
    const watch = sandbox.taut(...unguarded);
    await setTimeout(startMs * (0.6 + Math.random()));
    await watch.stop('SIGKILL');
    if (slacks(agent.pid).includes(1)) tuned++;
    if (round % 2 === 1) {
      const restore = sandbox.taut('restore');
      await setTimeout(100 + Math.random() * 250);
      await restore.stop('SIGKILL');
    }
    await using restore = sandbox.taut('restore');
    expect(await restore.ended, restore.errors.join('\n')).toBe(0);
    expect(slacks(agent.pid), `after kill ${round}`).toEqual(originals);
  }
  expect((await sandbox.json<StatusDocument>('status')).ledger.entries).toBe(0);
  process.stderr.write(`${tuned} of ${KILLS} kills left threads tuned, all were put back\n`);
  expect(tuned).toBeGreaterThan(KILLS / 20);
});

test(`${GUARDED_KILLS} kills at random moments, of taut watch and of what its guard runs: nobody calls restore`, async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const originals = slacks(agent.pid);
  let tuned = 0;
  let interrupted = 0;
  for (let round = 0; round < GUARDED_KILLS; round++) {
    const watch = sandbox.taut('watch', '--config', sandbox.config, '--optimize-timer-slack');
    // Just before it opens its ledger, starts its guard, and tunes.
    await watch.line(/measuring/);
    await setTimeout(Math.random() * 300);
    const [guard] = guardsOf(watch.pid);
    await watch.stop('SIGKILL');
    if (slacks(agent.pid).includes(1)) tuned++;
    for (let i = round % 4; i > 0 && guard !== undefined && isRunning(guard); i--) {
      await setTimeout(Math.random() * 100);
      for (const restore of childrenOf(guard)) {
        kill(restore);
        interrupted++;
      }
    }
    await until('the guard has ended', () => guardsOf(watch.pid).length === 0);
    expect(slacks(agent.pid), `after kill ${round}`).toEqual(originals);
  }
  using ledger = new Ledger(sandbox.stateDir);
  expect(ledger.entries()).toEqual([]);
  process.stderr.write(`${tuned} of ${GUARDED_KILLS} kills left threads tuned, ${interrupted} restores were killed\n`);
  expect(tuned).toBeGreaterThan(GUARDED_KILLS / 20);
  expect(interrupted).toBeGreaterThan(GUARDED_KILLS / 20);
});
