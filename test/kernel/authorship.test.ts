/** Whose a value is: a thread that was not born with taut's, and was not written by taut, has chosen what it has. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask } from '../support/conversation.ts';
import { type Program, slacks, threadIds, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const BOTH = ['--optimize-timer-slack', '--optimize-sched-slice'];

function slice(tid: number): number {
  const text = execFileSync('python3', [join(FIXTURES, 'schedattr.py'), 'get', String(tid)], { encoding: 'utf8' });
  return Number(text.trim().split(' ')[3]);
}

const valuesOf = (tid: number) => [slacks(tid)[0], slice(tid)];
const TUNED = [1, 100_000];
const DEFAULT = [50_000, slice(process.pid)];

async function childOf(agent: Program): Promise<number> {
  return Number((await ask(agent, 'child')).split(' ')[1]);
}

/** The child asks for the very values that taut gives its agent. */
async function choose(child: number): Promise<void> {
  process.kill(child, 'SIGUSR1');
  await until('it has chosen', () => String(valuesOf(child)) === String(TUNED));
}

/** Waits for a look at everything: it finds that somebody else has set the slack of the agent's second thread. */
async function lookedAgain(taut: Program, agent: Program, ns: number): Promise<void> {
  const [, second = 0] = threadIds(agent.pid);
  writeFileSync(`/proc/${second}/timerslack_ns`, String(ns));
  await taut.line(/was set to .* by somebody else/);
}

test('a child that asks for its agent’s values itself keeps them: at the next look, and when taut was killed and all is restored', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('chooser.py');
  await agent.line(/^ready/);
  await using taut = await sandbox.watch(...BOTH, '--no-guard');
  await until('it is tuned', () => String(valuesOf(agent.pid)) === String(TUNED));
  const child = await childOf(agent);
  await until('the child is put back', () => String(valuesOf(child)) === String(DEFAULT));
  await choose(child);
  await lookedAgain(taut, agent, 7_000);
  expect(valuesOf(child)).toEqual(TUNED);
  await taut.stop('SIGKILL');
  await using restore = sandbox.taut('restore');
  expect(await restore.ended, restore.errors.join('\n')).toBe(0);
  expect(restore.lines.filter((line) => line.includes(String(child)))).toEqual([]);
  expect([valuesOf(child), valuesOf(agent.pid)]).toEqual([TUNED, DEFAULT]);
});

test('a child that chose just before its agent is let go keeps it, and so does one that was there before taut', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('chooser.py');
  await agent.line(/^ready/);
  const before = await childOf(agent);
  await choose(before);
  await using taut = await sandbox.watch(...BOTH);
  await until('it is tuned', () => String(valuesOf(agent.pid)) === String(TUNED));
  const child = await childOf(agent);
  await until('the child is put back', () => String(valuesOf(child)) === String(DEFAULT));
  await choose(child);
  expect(await taut.stop()).toBe(0);
  expect([valuesOf(before), valuesOf(child), valuesOf(agent.pid)]).toEqual([TUNED, TUNED, DEFAULT]);
});
