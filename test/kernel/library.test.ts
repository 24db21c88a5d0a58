/** taut in an application that uses the package: what it needs, what it leaves alone, and how it ends. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StartError, startTaut, type TautOptions } from 'taut';
import { expect, test } from 'vitest';
import { agentOf, isPutBack, isTuned, ORIGINALS } from '../support/guarded.ts';
import { Program, slacks, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { entries } from '../support/waiting.ts';

/** The application, with options of `startTaut` that are added to the sandbox's. */
function embedded(sandbox: Sandbox, way: string, options: object = {}, env: NodeJS.ProcessEnv = {}): Program {
  const { stateDir, config } = sandbox;
  const given = JSON.stringify({ stateDir, config, ...options });
  return new Program(process.execPath, [join(FIXTURES, 'embedded.ts'), way, given], { ...process.env, ...env });
}

async function said<T = Record<string, unknown>>(program: Program, n = 0): Promise<T> {
  const line = await program.lineAfter(n);
  if (line === '') throw new Error(`it said nothing; ${program.errors.join('\n')}`);
  return JSON.parse(line) as T;
}

const TUNING = { optimizeTimerSlack: true };

test('nothing but the package itself can be imported', async () => {
  expect(Object.keys(await import('taut')).sort()).toEqual(['StartError', 'TautMetrics', 'startTaut']);
  const name = 'taut/dist/library/index.js';
  await using program = new Program(process.execPath, [
    '-e',
    `import('${name}').catch(({ code }) => console.log(code))`,
  ]);
  expect(await program.line(/ERR_/)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

test.each([
  [
    'a misspelt option',
    { optimiseTimerSlack: true },
    /^there is no option optimiseTimerSlack; did you mean optimizeTimerSlack\?$/,
  ],
  ['a wrong value', { optimizeTimerSlack: '10 parsecs' }, /^optimizeTimerSlack: .*10 parsecs/],
  ['a wrong choice', { descendants: 'adopt' }, /^descendants: .*contain/],
  ['an odd process id', { scope: { pids: [0] } }, /^scope: .* not 0$/],
  ['a scope without processes', { scope: { pids: [] } }, /^scope: /],
  [
    'a rule that can not be meant',
    { config: { version: 1, rules: [{ id: 'x', programm: 'y' }] } },
    /^config: unknown key "programm"; did you mean "program"\?$/m,
  ],
  ['a configuration that is not there', { config: '/nowhere.yaml' }, /nowhere\.yaml/],
  ['a flag file that is none', { flags: '/etc/hostname' }, /\/etc\/hostname/],
  ['a state directory that is a file', { stateDir: '/etc/hostname' }, /^stateDir: .*is a file/],
])('%s is refused by name, and nothing is begun', async (_what, options, message) => {
  using sandbox = new Sandbox();
  const { stateDir, config } = sandbox;
  const refused = startTaut({ stateDir, config, ...options } as TautOptions);
  await expect(refused).rejects.toThrow(StartError);
  await expect(refused).rejects.toMatchObject({ code: 'ERR_TAUT_OPTION', message: expect.stringMatching(message) });
  expect(existsSync(stateDir)).toBe(false);
});

test('another taut holds the lock: its process is named, and what to do in words of the package', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch();
  await using program = embedded(sandbox, 'tells why it can not start');
  const { code, message } = await said(program);
  expect(code).toBe('ERR_TAUT_LOCKED');
  expect(message).toMatch(new RegExp(`process ${taut.pid} holds .*use another stateDir`));
});

test('what an application can not do without is refused where the host lacks it, and else told', async () => {
  using sandbox = new Sandbox();
  const env = { TAUT_WITHOUT: 'bpf' };
  await using strict = embedded(sandbox, 'tells why it can not start', { require: ['measure'] }, env);
  const { code, message } = await said(strict);
  expect([code, message]).toEqual(['ERR_TAUT_HOST', expect.stringMatching(/^this host can't measure: /)]);
  await strict.ended;
  await using content = embedded(sandbox, 'tells why it can not start', {}, env);
  expect(await said(content)).toEqual({ missing: ['measure'] });
  await content.ended;
});

test('a copy of the API that does not see the providers of the application is refused, as every span would be lost', async () => {
  using sandbox = new Sandbox();
  await using program = embedded(sandbox, 'has another copy of the API');
  const { code, message } = await said(program);
  expect([code, message]).toEqual(['ERR_TAUT_API', expect.stringMatching(/@opentelemetry\/api 1\.9\.0/)]);
});

test('it is ended three times at once, and then another one starts', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using program = embedded(sandbox, 'ends taut twice, and starts it again', TUNING);
  expect(await said(program)).toEqual({ again: 'ERR_TAUT_STARTED', agents: [1] });
  expect(await said(program, 1)).toEqual({ ended: 'the application has ended it' });
  expect(await said(program, 2)).toEqual({ agents: [1] });
  expect(await program.ended).toBe(0);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
});

test('it listens to no signal and to no error of the application', async () => {
  using sandbox = new Sandbox();
  await using program = embedded(sandbox, 'counts what listens', TUNING);
  const { before, during } = await said(program);
  expect(during).toEqual(before);
});

test.each([
  ['the application handles SIGINT', 'handles SIGINT', 42],
  ['nobody handles SIGINT', 'does nothing about signals', 1000],
])('%s: everything is put back, and the exit is the one of the application', async (_who, way, code) => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using program = embedded(sandbox, way, TUNING);
  const { guard } = await said<{ guard: number }>(program);
  await isTuned(agent);
  expect(await program.stop('SIGINT')).toBe(code);
  await isPutBack(sandbox, agent, guard);
});

test('an application that has nothing else to do ends, and taut with it', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using program = embedded(sandbox, 'has nothing else to do', TUNING);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual(['"started"']);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
  expect(await entries(sandbox)).toBe(0);
});

test('somebody removes the record: everything is put back, and the application is told', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using program = embedded(sandbox, 'waits for the end of taut', TUNING);
  await program.line(/started/);
  await isTuned(agent);
  rmSync(sandbox.stateDir, { recursive: true });
  expect(await said(program, 1)).toEqual({ ended: 'the ledger is gone' });
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
});

interface Collected {
  readonly names: readonly string[];
  readonly wakeups: number;
}

interface Given {
  readonly before: Collected;
  readonly during: Collected;
  readonly last: Collected;
  readonly after: Collected;
  readonly spans: readonly string[];
  readonly severities: readonly string[];
}

test('signals go to the providers that were given: histograms while it runs and once when it has ended', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using program = embedded(sandbox, 'gives its providers', TUNING, { TAUT_WITHOUT: 'timers' });
  await isTuned(agent);
  agent.say('sleep 20 1000');
  await until('it has slept', () => agent.lines.filter((line) => line === 'done').length === 5);
  program.say('go on');
  const { before, during, last, after, spans, severities } = await said<Given>(program);
  expect(before.names).toEqual([]);
  expect(during.wakeups).toBeGreaterThanOrEqual(20);
  expect(during.names).toEqual(expect.arrayContaining(['taut.wakeup.latency', 'taut.operations', 'taut.agent.count']));
  expect(last.wakeups).toBeGreaterThanOrEqual(during.wakeups);
  expect(after.names).not.toContain('taut.wakeup.latency');
  expect(spans).toEqual(expect.arrayContaining(['attach', 'gate', 'tune', 'verify', 'revert']));
  expect(severities).toContain('WARN'); // of what is lacking
});
