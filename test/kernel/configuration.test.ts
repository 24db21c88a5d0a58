/** The configuration of the host, and variables, with the real program. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** Runs taut where /etc has nothing but /etc/taut/taut.yaml. */
function withHosts(sandbox: Sandbox, text: string, ...args: string[]): Program {
  const file = join(sandbox.dir, 'hosts.yaml');
  writeFileSync(file, text);
  const script = `mount -t tmpfs none /etc && mkdir /etc/taut && cat "$0" > /etc/taut/taut.yaml && exec "$@"`;
  return new Program('unshare', ['-m', 'sh', '-c', script, file, LAUNCHER, ...args]);
}

interface Shown {
  readonly config: string | null;
  readonly settings: readonly { key: string; value: unknown; source: string; place: string | null }[];
}

test('config show says what is in force, and where it is from: option, variable, line of the file of the host', async () => {
  using sandbox = new Sandbox();
  const text = `version: 1\nstateDir: ${sandbox.stateDir}\nlogLevel: error\nflagPoll: 30s\nrules: []\nguardrail:\n  cpu: 40%\n`;
  await using taut = withHosts(sandbox, text, 'config', 'show', '--json', '--log-level', 'warn');
  const { code, out, err } = await outcome(taut);
  expect([code, err]).toEqual([0, '']);
  const { config, settings } = JSON.parse(out) as Shown;
  expect(config).toBe('/etc/taut/taut.yaml');
  const of = (key: string) => settings.find((one) => one.key === key);
  expect(of('stateDir')).toMatchObject({ value: sandbox.stateDir, source: 'file', place: '/etc/taut/taut.yaml:2' });
  expect(of('logLevel')).toMatchObject({ value: 'warn', source: 'option', place: '--log-level' });
  expect(of('flagPoll')).toMatchObject({ value: '30s', source: 'file', place: '/etc/taut/taut.yaml:4' });
  expect(of('rules')).toMatchObject({ source: 'file', place: '/etc/taut/taut.yaml:5' });
  expect(of('guardrail')).toMatchObject({ value: expect.stringContaining('cpu +40%'), source: 'file' });
  expect(of('descendants')).toMatchObject({ value: 'contain', source: 'default', place: null });
  const env = { ...process.env, TAUT_FLAG_PROVIDER_OPTIONS: '{"token": "hush-hush"}', TAUT_MAX_OVERHEAD: '2%' };
  await using text2 = new Program(LAUNCHER, ['config', 'show'], env);
  const shown = await outcome(text2);
  expect(shown.out).toMatch(/^ +maxOverhead +2% +TAUT_MAX_OVERHEAD$/m);
  expect(shown.out).toMatch(/^ +flagProviderOptions +\(given, and not shown.* TAUT_FLAG_PROVIDER_OPTIONS$/m);
  expect(shown.out).not.toContain('hush');
  await using misspelt = new Program(LAUNCHER, ['config', 'show'], { ...process.env, TAUT_OBSERV_ONLY: 'true' });
  expect((await outcome(misspelt)).err).toMatch(/no variable TAUT_OBSERV_ONLY; did you mean TAUT_OBSERVE_ONLY\?/);
});

test('a mistake in it stops watch and run with its place, and what puts back goes on', async () => {
  using sandbox = new Sandbox();
  const text = `version: 1\nstateDir: ${sandbox.stateDir}\noptimizeTimerSlack: 5 parsecs\n`;
  const place = '/etc/taut/taut.yaml:3:21: optimizeTimerSlack: "5 parsecs" is no timer slack';
  for (const words of [['watch'], ['run', '--', 'true']]) {
    await using refused = withHosts(sandbox, text, ...words);
    const { code, err } = await outcome(refused);
    expect([code, err.includes(place)], err).toEqual([2, true]);
  }
  await using restore = withHosts(sandbox, text, 'restore', '--json');
  const { code, err } = await outcome(restore);
  expect([code, err.includes(`taut: warn: ${place}`)], err).toEqual([0, true]);
});

test('a configuration tunes as options do, its variable comes first, and explain names the line', async () => {
  using sandbox = new Sandbox();
  sandbox.useRules([{ id: 'fixture', name: 'fixture-agent', anyArg: [sandbox.mark] }], { optimizeTimerSlack: '7us' });
  await using agent = await sleeper(sandbox);
  const explained = async () => (await sandbox.json<{ gate: object }>('explain', String(agent.pid))).gate;
  await using taut = sandbox.tautWith({ TAUT_CONFIG: sandbox.config }, 'watch');
  await taut.line(/watching/);
  await until('it is tuned', () => slacks(agent.pid)[0] === 7_000);
  expect(await explained()).toMatchObject({
    layer: 'configuration',
    reason: `optimizeTimerSlack (${sandbox.config}:1)`,
  });
  expect(await taut.stop()).toBe(0);
  const env = { TAUT_CONFIG: sandbox.config, TAUT_OPTIMIZE_TIMER_SLACK: '9us' };
  await using other = sandbox.tautWith(env, 'watch');
  await other.line(/watching/);
  await until('it is tuned', () => slacks(agent.pid)[0] === 9_000);
  expect(await explained()).toMatchObject({ layer: 'option', reason: 'TAUT_OPTIMIZE_TIMER_SLACK' });
  expect(await other.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});
