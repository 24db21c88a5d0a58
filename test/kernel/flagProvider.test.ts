/** The command line with a provider of feature flags that is a module of the user's own. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { type Attribute, values } from '../support/otlp.ts';
import { outcome, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

/** A service that is the file of its options: it is down when that is not there. */
const PROVIDER = `
import { readFile } from 'node:fs/promises';
export default class FileProvider {
  metadata = { name: 'file-of-the-test' };
  constructor({ path }) { this.path = path; }
  async initialize() { await readFile(this.path); }
  async resolveBooleanEvaluation() { return { value: (await readFile(this.path, 'utf8')) === 'on', variant: 'of the file' }; }
}
`;

test('a provider that is down shuts the gate; it opens when that is there, and an agent keeps what it has when it goes', async () => {
  using sandbox = new Sandbox();
  const service = join(sandbox.dir, 'service');
  const module = join(sandbox.dir, 'provider.mjs');
  writeFileSync(module, PROVIDER);
  await using agent = await sleeper(sandbox);
  const options = ['--flag-provider', module, '--flag-provider-options', JSON.stringify({ path: service })];
  await using taut = await sandbox.watch(...options, '--flag-poll', '1s');
  await taut.line(/the flag provider file-of-the-test does not answer .*no other is tuned/);
  const status = async () => sandbox.json<StatusDocument>('status');
  expect(await status()).toMatchObject({ flagProvider: { name: 'file-of-the-test' }, agents: [{ target: null }] });
  expect(slacks(agent.pid)).toEqual([50_000]);
  const flags = async () =>
    (await sandbox.json<{ checks: object[] }>('doctor')).checks.filter(
      (check) => 'name' in check && check.name === 'flag provider',
    );
  expect(await flags()).toMatchObject([
    { ok: false, detail: expect.stringMatching(/^file-of-the-test, error: agents keep/) },
  ]);
  writeFileSync(service, 'on');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  const said = () => taut.errors.filter((line) => line.includes('the flag provider'));
  await until('it is said', () => said().length === 2);
  rmSync(service);
  await until('it is said', async () =>
    /as was last known/.test((await status()).agents[0]?.knobs[0]?.gate.reason ?? ''),
  );
  await using later = await sleeper(sandbox);
  await until('the other is there', async () => (await status()).agents.length === 2);
  expect([slacks(agent.pid), slacks(later.pid)]).toEqual([[1], [50_000]]);
  writeFileSync(service, 'off');
  await until('it is put back', () => slacks(agent.pid)[0] === 50_000);
  await until('it is said', () => said().length === 4);
  expect(await taut.stop()).toBe(0);
  expect(said().map((line) => /answers again|does not answer/.exec(line)?.[0])).toEqual([
    ...['does not answer', 'answers again', 'does not answer', 'answers again'],
  ]);
  expect(evaluations(sandbox, agent.pid)).toEqual([
    [undefined, 'off'],
    ['off', '1'],
    ['1', 'off'],
  ]);
});

test('a taut that is started again while its service is down tunes nobody, says so once, and follows the service when that is back', async () => {
  using sandbox = new Sandbox();
  const service = join(sandbox.dir, 'service');
  const module = join(sandbox.dir, 'provider.mjs');
  writeFileSync(module, PROVIDER);
  writeFileSync(service, 'on');
  await using agent = await sleeper(sandbox);
  const options = ['--flag-provider', module, '--flag-provider-options', JSON.stringify({ path: service })];
  {
    await using taut = await sandbox.watch(...options, '--flag-poll', '1s');
    await until('it is tuned', () => slacks(agent.pid)[0] === 1);
    expect(await taut.stop()).toBe(0);
  }
  rmSync(service);
  await using taut = await sandbox.watch(...options, '--flag-poll', '1s');
  const said = () => taut.errors.filter((line) => line.includes('the flag provider'));
  await until('it is said', () => said().length === 1);
  const { agents } = await sandbox.json<StatusDocument>('status');
  expect(agents).toMatchObject([{ pid: agent.pid, target: null, gate: { layer: 'flag', value: null } }]);
  expect(slacks(agent.pid)).toEqual([50_000]);
  writeFileSync(service, 'on');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  await until('it is said', () => said().length === 2);
  expect(await taut.stop()).toBe(0);
  expect([slacks(agent.pid), said().length]).toEqual([[50_000], 2]);
});

/** Answers nobody any more, taut itself neither, while there is the file of its options, but no longer than a minute. */
const BLOCKING = `
import { existsSync, writeFileSync } from 'node:fs';
export default class BlockingProvider {
  metadata = { name: 'blocking' };
  constructor({ path }) { this.path = path; }
  async resolveBooleanEvaluation() {
    if (existsSync(this.path)) writeFileSync(this.path + '.begun', '');
    for (const end = Date.now() + 60_000; existsSync(this.path) && Date.now() < end; );
    return { value: true };
  }
}
`;

test('a provider that blocks taut does not keep the kill switch from putting everything back, and nothing is tuned after that', async () => {
  using sandbox = new Sandbox();
  const block = join(sandbox.dir, 'block');
  const module = join(sandbox.dir, 'provider.mjs');
  writeFileSync(module, BLOCKING);
  await using agent = await sleeper(sandbox);
  const options = ['--flag-provider', module, '--flag-provider-options', JSON.stringify({ path: block })];
  await using taut = await sandbox.watch(...options, '--flag-poll', '1s');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  writeFileSync(block, '');
  await until('it is blocked', () => existsSync(`${block}.begun`));
  const off = await outcome(sandbox.taut('off', '--reason', 'blocked'));
  expect([off.code, slacks(agent.pid)], off.err).toEqual([0, [50_000]]);
  await using later = await sleeper(sandbox);
  rmSync(block);
  const status = await sandbox.json<StatusDocument>('status');
  expect([status.daemon?.pid, status.off?.reason]).toEqual([taut.pid, 'blocked']);
  await until('both are seen', async () => (await sandbox.json<StatusDocument>('status')).agents.length === 2);
  expect([slacks(agent.pid), slacks(later.pid)]).toEqual([[50_000], [50_000]]);
  expect(await taut.stop()).toBe(0);
});

/** The values of timer slack before and after, as the events of flags tell them. */
function evaluations({ stateDir }: Sandbox, pid: number): unknown[][] {
  const requests = readFileSync(join(stateDir, 'otlp/logs.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const records = requests.flatMap(({ resourceLogs }: LogRequest) =>
    resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)),
  );
  const flags = records.filter(({ eventName }) => eventName === 'feature_flag.evaluation');
  return flags
    .map(({ attributes }) => values(attributes))
    .filter((of) => of['process.pid'] === pid && of['taut.knob'] === 'timer_slack_ns')
    .map((of) => [of['taut.gate.value_before'], of['taut.gate.value']]);
}

interface LogRequest {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly { readonly logRecords: readonly { eventName: string; attributes: Attribute[] }[] }[];
  }[];
}

test.each([
  [['--flag-provider', 'no-such-package'], /there is no flag provider no-such-package/],
  [['--flag-provider', './x.mjs', '--flags', 'flags.json'], /--flags and --flag-provider exclude each other/],
  [['--flag-provider', './x.mjs', '--flag-poll', '5'], /a time is a whole number with s, m, h or d/],
  [['--flag-provider', './x.mjs', '--flag-provider-options', '{'], /flag-provider-options/],
])('%j is refused', async (options, why) => {
  using sandbox = new Sandbox();
  const { code, err } = await outcome(sandbox.taut('watch', ...options));
  expect([code, err]).toEqual([2, expect.stringMatching(why)]);
});
