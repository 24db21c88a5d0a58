/** Few files that may be open: what can't be done is said with the limit and the mend, and all else is done. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';
import { finished, pidOf, WAITING } from '../support/waiting.ts';
import { agents } from '../support/world.ts';

/** Starts taut with a limit of open files, hard and soft. */
function limited(sandbox: Sandbox, limit: number, ...args: readonly string[]): Program {
  const command = [`--nofile=${limit}`, LAUNCHER, ...args];
  const env = { TAUT_STATE_DIR: sandbox.stateDir, OTEL_METRIC_EXPORT_INTERVAL: '1000' };
  return new Program('prlimit', command, { ...process.env, ...env });
}

const MEND = /raise .*ulimit -Hn 4096.*LimitNOFILE=4096/;

test('with 16, every command says what is lacking, and begins nothing', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  for (const args of [
    ['watch', '--optimize-timer-slack'],
    ['attach', String(agent.pid), '--optimize-timer-slack'],
    ['run', '--', 'true'],
    ...[['status'], ['restore'], ['doctor'], ['demo'], ['version']],
  ]) {
    await using taut = limited(sandbox, 16, ...args);
    const { code, out, err } = await outcome(taut);
    expect([code, out], args.join(' ')).toEqual([3, '']);
    expect(err).toMatch(/^taut: the hard limit of open files is 16, and taut needs \d\d to start/);
    expect(err).toMatch(MEND);
  }
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test.each([32, 64, 255])('with %s, nothing is measured or tuned, that is said, and all else is done', async (limit) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const lack = `the limit of open files is ${limit}, and taut needs 256 to measure and to tune`;
  for (const args of [['watch'], ['attach', String(agent.pid)], ['demo', '--seconds', '1']]) {
    await using taut = limited(sandbox, limit, ...args);
    const { code, out, err } = await outcome(taut);
    expect([code, out], args.join(' ')).toEqual([3, '']);
    expect(err.split('\n')[0]).toContain(`taut: ${lack}`);
    expect(err).toMatch(MEND);
  }
  await using doctor = limited(sandbox, limit, 'doctor');
  const examined = await outcome(doctor);
  expect([examined.code, examined.err]).toEqual([3, '']);
  expect(examined.out).toContain(`missing  open files: ${lack}`);
  expect(examined.out).not.toMatch(/ring buffer|EMFILE/);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(slacks(agent.pid)).toEqual([1]);
  for (const [args, said] of [
    [['status'], `taut ${taut.pid} is running`],
    [['explain', String(agent.pid)], 'is an agent'],
    [['restore'], '1 put back'],
  ] as const) {
    await using program = limited(sandbox, limit, ...args);
    expect(await outcome(program)).toMatchObject({ code: 0, out: expect.stringContaining(said) });
  }
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test.each([32, 64])('with %s, the command of taut run is run, and what is not done for it is said', async (limit) => {
  using sandbox = new Sandbox();
  await using run = limited(sandbox, limit, 'run', '--optimize-timer-slack', '--', ...WAITING);
  await run.line(/the limit of open files is \d+, and taut needs 256 .*; the command goes on/);
  const pid = await pidOf(run);
  expect(await finished(run)).toBe(7);
  expect(run.lines).toEqual([expect.stringMatching(new RegExp(`^${pid} `))]);
});

test('the command of taut run has the limit that it would have without taut', async () => {
  using sandbox = new Sandbox();
  for (const options of [[], ['--optimize-timer-slack'], ['--log-level', 'error']]) {
    const words = [LAUNCHER, 'run', ...options, '--', 'sh', '-c', 'ulimit -Sn; ulimit -Hn; echo [$TAUT_OPEN_FILES]'];
    await using run = new Program('prlimit', ['--nofile=300:1000', ...words], {
      ...process.env,
      TAUT_STATE_DIR: sandbox.stateDir,
    });
    expect((await outcome(run)).out).toBe('300\n1000\n[]');
  }
});

test('with 256, as many agents are tuned as there is room for, the others are counted, and all is put back', async () => {
  using sandbox = new Sandbox();
  const most = 72;
  const seconds = `100000.${process.pid}`; // no other process of the host has this argument
  const words = [join(FIXTURES, 'crowd.py'), String(most + 30), '/bin/sleep', seconds];
  await using crowd = new Program('python3', words);
  await crowd.line(/^ready/);
  const pids = (crowd.lines[0] ?? '').split(' ').map(Number);
  sandbox.useRules([{ id: 'crowd', program: 'sleep', anyArg: [seconds] }]);
  await using taut = limited(sandbox, 256, 'watch', '--config', sandbox.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  const metrics = join(sandbox.stateDir, 'otlp/metrics.jsonl');
  const tuned = () => pids.filter((pid) => slacks(pid)[0] === 1);
  await until('as many as there is room for', () => tuned().length === most);
  expect(taut.errors.filter((line) => line.includes(`there is room for ${most} agents`))).toHaveLength(1);
  expect(await agents(sandbox)).toHaveLength(most);
  const counted = () =>
    sandbox.lastSums('taut.operations').find(({ attributes }) => attributes['taut.outcome'] === 'no_room')?.value;
  await until('the others are counted', () => existsSync(metrics) && (counted() ?? 0) >= 30);
  const first = tuned()[0] ?? 0;
  process.kill(first, 'SIGKILL');
  await until('another takes its place', () => tuned().filter((pid) => pid !== first).length === most);
  expect(taut.errors.filter((line) => /EMFILE|error:/.test(line))).toEqual([]);
  expect(await taut.stop()).toBe(0);
  expect(new Set(pids.filter((pid) => pid !== first).map((pid) => slacks(pid)[0]))).toEqual(new Set([50_000]));
});
