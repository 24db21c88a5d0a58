/** The kill switch: every thread is put back and stays so, whatever taut does, until it is lifted. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { outcome, type Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { attribute, spansOf } from '../support/spans.ts';
import { isStopped, onRecord } from '../support/stopped.ts';
import { Sandbox } from '../support/taut.ts';
import { finished, pidOf, TUNED, WAITING } from '../support/waiting.ts';
import { Crew, threadsWith } from './endings/crew.ts';

const crew = compiled('crew');
const AGENTS = 200;
const LIFTS = /tuning is off since .*: incident 4711/;

const off = (sandbox: Sandbox) => outcome(sandbox.taut('off', '--reason', 'incident 4711'));

/** It has answered, and so heard everything that it was asked before. */
async function hasHeard(sandbox: Sandbox, taut: Program): Promise<StatusDocument> {
  const status = await sandbox.json<StatusDocument>('status');
  expect(status.daemon?.pid).toBe(taut.pid);
  return status;
}

test('a running taut puts everything back, says why everywhere, and tunes again when that is lifted', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch(TUNED);
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  const done = await off(sandbox);
  expect([done.code, slacks(agent.pid), onRecord(sandbox)], done.err).toEqual([0, [50_000], 0]);
  expect(done.out).toMatch(/: incident 4711; everything is put back$/);
  await taut.line(/tuning is off since .*: incident 4711; measuring goes on, and taut on lifts that/);
  const status = await hasHeard(sandbox, taut);
  expect(status).toMatchObject({ off: { reason: 'incident 4711' }, agents: [{ target: null }] });
  expect((await outcome(sandbox.taut('status'))).out).toMatch(LIFTS);
  expect((await outcome(sandbox.taut('explain', String(agent.pid)))).out).toMatch(LIFTS);
  const doctor = await sandbox.json<{ tune: boolean; checks: { name: string; ok: boolean }[] }>('doctor');
  expect([doctor.tune, doctor.checks.find(({ name }) => name === 'kill switch')?.ok]).toEqual([false, false]);
  await tell(agent, 'thread');
  await hasHeard(sandbox, taut);
  expect(slacks(agent.pid)).toEqual([50_000, 50_000]);
  await until('the metric says it', () => sandbox.lastSums('taut.off')[0]?.value === 1);
  const on = await outcome(sandbox.taut('on'));
  expect([on.code, slacks(agent.pid)], on.err).toEqual([0, [1, 1]]);
  expect(on.out).toMatch(/tuning is on again: .*\(it was off since .*: incident 4711\)/);
  await until('the metric says it', () => sandbox.lastSums('taut.off')[0]?.value === 0);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000, 50_000]);
  const logs = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  expect([...logs.matchAll(/"eventName":"taut\.switched"/g)]).toHaveLength(2);
  const reasons = spansOf(sandbox.stateDir, 'revert').map((span) => attribute(span, 'taut.revert.reason'));
  expect(reasons[0]).toMatch(LIFTS);
});

test.each([
  ['much too long', 'x'.repeat(10_000), /: x{499}…; everything is put back$/],
  ['empty', '', /by user \S+ \(\d+\); everything is put back$/],
])('a reason that is %s does not keep anything from being put back', async (_, reason, said) => {
  using sandbox = new Sandbox();
  const done = await outcome(sandbox.taut('off', '--reason', reason));
  expect([done.code, done.out], done.err).toEqual([0, expect.stringMatching(said)]);
});

test('a taut that is started while it is off measures, and tunes when the file is gone', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  expect((await off(sandbox)).code).toBe(0);
  await using taut = await sandbox.watch(TUNED);
  const { agents } = await hasHeard(sandbox, taut);
  expect([agents.map(({ pid, target }) => [pid, target]), slacks(agent.pid)]).toEqual([[[agent.pid, null]], [50_000]]);
  expect(
    taut.errors.filter((line) => /tuning is off/.test(line)),
    'it is said once',
  ).toHaveLength(1);
  rmSync(join(sandbox.stateDir, 'off'));
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  writeFileSync(join(sandbox.stateDir, 'off'), '');
  await until('it is put back', () => slacks(agent.pid)[0] === 50_000);
  expect(await taut.stop()).toBe(0);
});

test('taut run starts its command untuned, and taut demo refuses', async () => {
  using sandbox = new Sandbox();
  expect((await off(sandbox)).code).toBe(0);
  await using program = sandbox.taut('run', TUNED, '--', ...WAITING);
  const pid = await pidOf(program);
  await program.line(/tuning is off/);
  expect([program.lines[0], slacks(pid)]).toEqual([`${pid} 50000`, [50_000]]);
  const demo = await outcome(sandbox.taut('demo'));
  expect([demo.code, demo.err]).toEqual([1, expect.stringMatching(LIFTS)]);
  expect((await outcome(sandbox.taut('on'))).code).toBe(0);
  await until('it is tuned', () => slacks(pid)[0] === 1);
  expect(await finished(program)).toBe(7);
});

test('what a taut that was killed has left is put back, and that is reported', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  {
    await using taut = await sandbox.watch(TUNED, '--no-guard');
    await until('it is tuned', () => slacks(agent.pid)[0] === 1);
    await taut.stop('SIGKILL');
  }
  const done = await off(sandbox);
  expect([done.code, slacks(agent.pid), onRecord(sandbox)], done.err).toEqual([0, [50_000], 0]);
  const restored = spansOf(sandbox.stateDir, 'restore').map((span) => attribute(span, 'taut.restore.reason'));
  expect(restored).toEqual(['taut off: incident 4711']);
});

test('a taut that is stopped, with threads more that are born meanwhile', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch(TUNED, '--no-guard');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  taut.child.kill('SIGSTOP');
  for (let i = 0; i < 3; i++) await tell(agent, 'thread');
  const done = await off(sandbox);
  const originals = Array(4).fill(50_000);
  expect([done.code, slacks(agent.pid), onRecord(sandbox)], done.err).toEqual([0, originals, 0]);
  taut.child.kill('SIGCONT');
  await hasHeard(sandbox, taut);
  await tell(agent, 'thread');
  await hasHeard(sandbox, taut);
  expect([slacks(agent.pid), onRecord(sandbox)]).toEqual([[...originals, 50_000], 0]);
});

test.each(['examined', 'recorded'])('a taut that is stopped in the middle of tuning (%s)', async (point) => {
  using sandbox = new Sandbox({ TAUT_FAULT: `${point}:1:SIGSTOP` });
  await using agent = await sleeper(sandbox);
  await using taut = sandbox.taut('watch', '--config', sandbox.config, TUNED, '--no-guard');
  await until('it is stopped', () => existsSync(join(sandbox.stateDir, 'ledger.db')) && isStopped(taut.pid));
  const done = await outcome(sandbox.tautWith({ TAUT_FAULT: '' }, 'off'));
  expect([done.code, slacks(agent.pid), onRecord(sandbox)], done.err).toEqual([0, [50_000], 0]);
  taut.child.kill('SIGCONT');
  await taut.line(/watching/);
  expect([slacks(agent.pid), onRecord(sandbox)]).toEqual([[50_000], 0]);
  expect(await taut.stop()).toBe(0);
});

test.each(['that answers', 'that is stopped'])(`${AGENTS} agents of a taut %s are put back`, async (which) => {
  await using agents = await Crew.start(crew, AGENTS, 2);
  const { sandbox, value } = agents;
  await using taut = await sandbox.watch(`${TUNED}=${value}ns`, '--no-guard');
  await until('all are tuned', () => threadsWith(value, agents.agents).length === 2 * AGENTS);
  if (which === 'that is stopped') taut.child.kill('SIGSTOP');
  const startMs = performance.now();
  const before = cpuMs(taut.pid);
  const command = sandbox.taut('off');
  await until('tuning is off', () => existsSync(join(sandbox.stateDir, 'off')));
  const offMs = performance.now();
  await until('none is tuned', () => threadsWith(value, agents.agents).length === 0);
  const doneMs = performance.now();
  const cpu = cpuMs(taut.pid) - before;
  console.info(
    `${AGENTS} agents of a taut ${which}: the file after ${ms(offMs - startMs)}, none after ${ms(doneMs - offMs)} more, by ${ms(cpu)} of its CPU time`,
  );
  expect((await outcome(command)).code).toBe(0);
  expect(onRecord(sandbox)).toBe(0);
  taut.child.kill('SIGCONT');
  await hasHeard(sandbox, taut);
  expect(threadsWith(value, agents.agents)).toEqual([]);
});

/** CPU time of a process, milliseconds: the kernel counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
  const [user = 0, system = 0] = rest.split(' ').slice(11, 13).map(Number);
  return (user + system) * 10;
}

const ms = (value: number) => `${Math.round(value)} ms`;
