/** Killed at any moment, often: after each, one restore leaves every thread at its original and the ledger empty. */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/status.ts';
import { tell } from '../kernel/conversation.ts';
import { slacks } from '../kernel/program.ts';
import { Bench } from '../kernel/taut.ts';

const KILLS = 200;

test(`${KILLS} kills at random moments, of taut watch and of taut restore`, async () => {
  using bench = new Bench();
  await using agent = bench.python('sleeper.py');
  await agent.line(/^ready/);
  await tell(agent, 'slack 7777');
  for (let i = 0; i < 15; i++) await tell(agent, 'thread');
  const originals = slacks(agent.pid);
  let tuned = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const watch = bench.taut('watch', '--config', bench.config, '--optimize-timer-slack', '--no-guard');
    await setTimeout(400 + Math.random() * 600);
    await watch.stop('SIGKILL');
    if (slacks(agent.pid).includes(1)) tuned++;
    if (kill % 2 === 1) {
      const restore = bench.taut('restore');
      await setTimeout(100 + Math.random() * 250);
      await restore.stop('SIGKILL');
    }
    await using restore = bench.taut('restore');
    expect(await restore.ended, restore.errors.join('\n')).toBe(0);
    expect(slacks(agent.pid), `after kill ${kill}`).toEqual(originals);
  }
  expect((await bench.json<StatusDocument>('status')).ledger.entries).toBe(0);
  process.stderr.write(`${tuned} of ${KILLS} kills left threads tuned, all were put back\n`);
  expect(tuned).toBeGreaterThan(KILLS / 20);
});
