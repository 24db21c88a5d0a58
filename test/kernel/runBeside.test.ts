/** `taut run` beside other tauts: who measures, who tunes, who puts back. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { outcome, slacks, until } from '../support/program.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';
import { entries, finished, pidOf, TUNED, WAITING } from '../support/waiting.ts';

test.each([2, 10])('%d at once are tuned and put back side by side', async (n) => {
  using sandbox = new Sandbox();
  await using stack = new AsyncDisposableStack();
  const programs = Array.from({ length: n }, () => stack.use(sandbox.taut('run', TUNED, '--', ...WAITING)));
  const pids = await Promise.all(programs.map(pidOf));
  await until('all are tuned', () => pids.every((pid) => slacks(pid)[0] === 1));
  await until('all are there', async () => (await sandbox.json<StatusDocument>('status')).agents.length === n);
  const { runs, agents, daemon } = await sandbox.json<StatusDocument>('status');
  expect(daemon).toBe(null);
  expect(new Set(runs.map(({ pid }) => pid))).toEqual(new Set(programs.map(({ pid }) => pid)));
  expect(new Set(agents.map(({ pid }) => pid))).toEqual(new Set(pids));
  expect(await entries(sandbox)).toBe(n);
  expect(await Promise.all(programs.map(finished))).toEqual(programs.map(() => 7));
  expect(await entries(sandbox)).toBe(0);
});

test('a daemon of the same state directory measures the command, and none of both tunes it', async () => {
  using sandbox = new Sandbox();
  await using _daemon = await sandbox.watch();
  await using program = sandbox.taut('run', '--', ...WAITING);
  await program.line(/has taken sh \(\d+\) over/);
  const pid = await pidOf(program);
  const { agents, runs } = await sandbox.json<StatusDocument>('status');
  expect(agents).toMatchObject([{ pid, rule: 'pid', target: null }]);
  expect(runs).toEqual([]);
  expect(slacks(pid)).toEqual([50_000]);
  expect(await finished(program)).toBe(7);
  await until('it is let go', async () => (await sandbox.json<StatusDocument>('status')).agents.length === 0);
});

test('beside a daemon that only measures it tunes its command itself', async () => {
  using sandbox = new Sandbox();
  await using _daemon = await sandbox.watch();
  await using program = sandbox.taut('run', TUNED, '--', ...WAITING);
  const pid = await pidOf(program);
  await until('it is tuned', () => slacks(pid)[0] === 1);
  expect(await finished(program)).toBe(7);
  expect(await entries(sandbox)).toBe(0);
});

test.each(['the same', 'another'])('a daemon of %s state directory that tunes takes a command over', async (which) => {
  using sandbox = new Sandbox();
  using other = new Sandbox();
  await using daemon = await sandbox.watch(`${TUNED}=20us`);
  const runner = which === 'another' ? other : sandbox;
  await using program = runner.taut('run', `${TUNED}=10us`, '--', ...WAITING);
  const pid = await pidOf(program);
  await program.line(/has taken sh \(\d+\) over, and tunes it/);
  expect(slacks(pid)).toEqual([10_000]);
  expect((await sandbox.json<StatusDocument>('status')).agents).toMatchObject([{ pid, target: 10_000 }]);
  // One that asks for nothing gets nothing.
  await using plain = sandbox.taut('run', '--', ...WAITING);
  await plain.line(/over/);
  expect(slacks(await pidOf(plain))).toEqual([50_000]);
  await daemon.stop();
  expect(slacks(pid)).toEqual([50_000]);
  expect([await finished(program), await finished(plain)]).toEqual([7, 7]);
});

test.each([
  ['--observe-only', { id: 'any', anyArg: 'nobody-has-this' }, /over, and leaves it as it is \(--observe-only\)/],
  ['--descendants=contain', { id: 'not-this', anyArg: 'DENIED', action: 'deny' }, /not tuning: .* a rule denies it/],
  ['--descendants=contain', { id: 'off', anyArg: 'DENIED', optimizeTimerSlack: 'off' }, /over, and leaves it/],
])('what the daemon was told stays above what run asks for: %s, %o', async (option, rule, said) => {
  using sandbox = new Sandbox();
  sandbox.useRules([rule]);
  await using _daemon = await sandbox.watch(TUNED, option);
  await using program = sandbox.taut('run', TUNED, '--', ...WAITING, 'DENIED');
  const pid = await pidOf(program);
  if (option === '--observe-only') await until('it is tuned by run', () => slacks(pid)[0] === 1);
  else {
    await program.line(said);
    expect(slacks(pid)).toEqual([50_000]);
  }
  expect(await finished(program)).toBe(7);
});

test('watch that wants to tune says which run tunes; measuring goes beside it', async () => {
  using sandbox = new Sandbox();
  await using program = sandbox.taut('run', TUNED, '--', ...WAITING);
  await program.line(/attached/);
  await using refused = sandbox.taut('watch', TUNED, '--config', sandbox.config);
  expect(await outcome(refused)).toMatchObject({ code: 1, err: expect.stringContaining(String(program.pid)) });
  await using _daemon = await sandbox.watch();
  expect(await finished(program)).toBe(7);
});

test('a run within a run: the outer one tunes, and puts all back', async () => {
  using sandbox = new Sandbox();
  const inner = [LAUNCHER, 'run', '--state-dir', sandbox.stateDir, `${TUNED}=10us`, '--', ...WAITING];
  const script = 'echo outer $$; "$@"; echo code $?; read line';
  await using program = sandbox.taut('run', TUNED, '--', 'sh', '-c', script, 'sh', ...inner);
  const outer = Number((await program.line(/^outer/)).split(' ')[1]);
  const pid = await pidOf(program);
  await program.line(/has taken sh \(\d+\) over, and tunes it/);
  await until('each has what was asked for', () => slacks(outer)[0] === 1 && slacks(pid)[0] === 10_000);
  program.say('');
  await program.line(/^code 7$/);
  expect(await finished(program)).toBe(0);
  expect(await entries(sandbox)).toBe(0);
});

test('calls an agent that a rule knows by the rule, also in the ledger, and says once that a rule denies it', async () => {
  using sandbox = new Sandbox();
  await using known = sandbox.taut('run', TUNED, '--config', sandbox.config, '--', ...WAITING, sandbox.mark);
  await known.line(/attached to fixture-agent \(\d+\) by rule pid/);
  expect(await sandbox.json('restore', '--dry-run', '--agent', 'fixture-agent')).toMatchObject({ restored: 1 });
  expect(await finished(known)).toBe(7);
  const rule = { id: 'not-this', anyArg: sandbox.mark, action: 'deny' };
  sandbox.useRules([rule]);
  await using denied = sandbox.taut('run', TUNED, '--config', sandbox.config, '--', ...WAITING, sandbox.mark);
  await denied.line(/rule not-this denies it/);
  expect(slacks(await pidOf(denied))).toEqual([50_000]);
  expect(await finished(denied)).toBe(7);
  expect(denied.errors.filter((line) => line.includes('rule not-this denies it'))).toHaveLength(1);
  expect(denied.errors.join()).not.toContain('attached');
});

test('restore has each run put back its own, and puts back without one that does not answer', async () => {
  using sandbox = new Sandbox();
  await using first = sandbox.taut('run', TUNED, '--', ...WAITING);
  await using second = sandbox.taut('run', TUNED, '--', ...WAITING);
  const pids = [await pidOf(first), await pidOf(second)];
  await Promise.all([first, second].map((program) => program.line(/watching/)));
  expect(await sandbox.json('restore', String(pids[0]))).toMatchObject({ restored: 1, entries: [{ pid: pids[0] }] });
  expect(pids.flatMap(slacks)).toEqual([50_000, 1]);
  expect((await sandbox.json<StatusDocument>('status')).agents.map(({ target }) => target)).toContain(null);
  second.child.kill('SIGSTOP');
  await using restore = sandbox.taut('restore');
  const { code, err } = await outcome(restore);
  second.child.kill('SIGCONT');
  expect(code).toBe(0);
  expect(err).toMatch(new RegExp(`taut ${second.pid} does not do it`));
  expect(pids.flatMap(slacks)).toEqual([50_000, 50_000]);
  expect(await Promise.all([first, second].map(finished))).toEqual([7, 7]);
});

test('a run that was killed leaves a socket and entries that the next taut clears away', async () => {
  using sandbox = new Sandbox();
  await using killed = sandbox.taut('run', TUNED, '--', 'sh', '-c', 'echo $$ 1; exec sleep 1000');
  const pid = await pidOf(killed);
  try {
    await killed.line(/watching/);
    const socket = join(sandbox.stateDir, `run-${killed.pid}.sock`);
    killed.child.kill('SIGKILL');
    await until(
      'it is gone',
      () => !existsSync(`/proc/${killed.pid}`) || readFileSync(`/proc/${killed.pid}/stat`, 'latin1').includes(') Z'),
    );
    expect([slacks(pid), existsSync(socket)]).toEqual([[1], true]);
    await using next = sandbox.taut('run', TUNED, '--', ...WAITING);
    await next.line(/watching/);
    await until('it is put back', () => slacks(pid)[0] === 50_000);
    expect(existsSync(socket)).toBe(false);
    expect(await finished(next)).toBe(7);
  } finally {
    process.kill(pid, 'SIGKILL');
  }
});
