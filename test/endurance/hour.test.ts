/** An hour of a busy agent played fast: a tool a second, ten threads a second. Nothing of them is left behind. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { tell } from '../support/conversation.ts';
import { slacks, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';

const ROUNDS = 60;
const TOOLS = 60;
const THREADS = 600;

const files = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const residentKb = (pid: number) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);

test('3,600 tools and 36,000 threads leave no row, no descriptor and no growing memory', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const before = files(taut.pid);
  let warm = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await tell(agent, `forks ${TOOLS} 0.02`);
    await tell(agent, `threads ${THREADS}`);
    await tell(agent, 'reap');
    if (round === ROUNDS / 3) warm = residentKb(taut.pid);
  }
  await until('only the agent is on record', async () => {
    const { ledger, agents } = await sandbox.json<StatusDocument>('status');
    return ledger.entries === 1 && agents.length === 1 && agents[0]?.threads.total === 1;
  });
  expect(slacks(agent.pid)).toEqual([1]);
  expect(files(taut.pid)).toBeLessThanOrEqual(before + 2);
  process.stderr.write(`resident: ${warm} kB after a third, ${residentKb(taut.pid)} kB at the end\n`);
  expect(residentKb(taut.pid)).toBeLessThan(1.5 * warm);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});
