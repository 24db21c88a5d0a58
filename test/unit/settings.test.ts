/** Every setting as an option, as a variable, as a key of the configuration; which counts; and what is said of one that is wrong. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withSettings } from '../../scripts/settingsTable.ts';
import { asked, type TuneOptions } from '../../src/cli/given.ts';
import { withCommon, withTuning } from '../../src/cli/options.ts';
import { otherThanRules } from '../../src/cli/reload.ts';
import { settle } from '../../src/cli/settled.ts';
import { defaultStateDir } from '../../src/cli/stateDir.ts';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { configSchema } from '../../src/config/schema.ts';
import { SETTINGS, type Setting } from '../../src/config/settings.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-settings-'));
  file = join(dir, 'taut.yaml');
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Given {
  readonly argv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Keys and values of the configuration of the host. */
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly uid?: number;
}

async function settled({ argv = [], env = {}, keys, name = 'watch', uid = 0 }: Given) {
  const command = withTuning(withCommon(new Command(name))).exitOverride();
  command.configureOutput({ writeErr: () => {}, outputError: () => {} });
  command.parse(argv, { from: 'user' });
  if (keys) writeFileSync(file, JSON.stringify({ version: 1, ...keys }, null, 1));
  await settle(command, { env, hostConfig: file, uid });
  const options = command.opts<TuneOptions & Readonly<Record<string, unknown>>>();
  return { options, origin: (key: string) => options.origins?.get(key) };
}

interface Example {
  /** Three values, as text. */
  readonly texts: readonly [string, string, string];
  readonly values: readonly [unknown, unknown, unknown];
  readonly wrong: string;
}

/** Of every setting: what is not here fails the test. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  stateDir: { texts: ['/a', '/b', '/c'], values: ['/a', '/b', '/c'], wrong: '~/x' },
  logLevel: { texts: ['debug', 'warn', 'error'], values: ['debug', 'warn', 'error'], wrong: 'loud' },
  optimizeTimerSlack: { texts: ['1us', 'off', 'true'], values: [1_000n, 'off', 1n], wrong: '5 parsecs' },
  optimizeSchedSlice: { texts: ['200us', 'off', '1ms'], values: [200_000n, 'off', 1_000_000n], wrong: '5 parsecs' },
  optimizeTools: { texts: ['nice:5', 'off', 'idle'], values: [5n, 'off', 20n], wrong: 'nice:99' },
  optimize: { texts: ['all', 'off', 'timers'], values: ['all', 'off', 'timers'], wrong: 'fast' },
  guard: { texts: ['false', 'true', 'false'], values: [false, true, false], wrong: 'yes' },
  descendants: { texts: ['tune', 'inherit', 'contain'], values: ['tune', 'inherit', 'contain'], wrong: 'some' },
  observeOnly: { texts: ['true', 'false', 'true'], values: [true, false, true], wrong: 'on' },
  maxOverhead: { texts: ['1%', '2', '3%'], values: [0.01, 0.02, 0.03], wrong: '0' },
  linkAgentTelemetry: { texts: ['true', 'false', 'true'], values: [true, false, true], wrong: 'on' },
  spoolLimit: { texts: ['1K', '2M', '0'], values: [1 << 10, 2 << 20, 0], wrong: '1 GB' },
  flags: { texts: ['/a', '/b', '/c'], values: ['/a', '/b', '/c'], wrong: '' },
  flagProvider: { texts: ['./a.js', 'b', 'c'], values: ['./a.js', 'b', 'c'], wrong: '' },
  flagProviderOptions: { texts: ['{"a":1}', '{"a":2}', '{"a":3}'], values: [{ a: 1 }, { a: 2 }, { a: 3 }], wrong: '{' },
  flagPoll: { texts: ['1s', '2m', '3h'], values: [1_000, 120_000, 10_800_000], wrong: '5' },
  flagLastKnown: { texts: ['1s', '2m', '1d'], values: [1_000, 120_000, 86_400_000], wrong: '0s' },
  flagPrefix: { texts: ['a.', 'b.', 'c-'], values: ['a.', 'b.', 'c-'], wrong: 'a b' },
  flagTargetingKey: { texts: ['host', 'user', 'agent'], values: ['host', 'user', 'agent'], wrong: 'moon' },
};

const isSwitch = ({ kind }: Setting) => kind === 'switch';
/** A switch says one thing as an option. */
const asOption = (setting: Setting, text: string) =>
  isSwitch(setting) ? [`--${setting.option}`] : [`--${setting.option}=${text}`];
const ofSwitch = (text: string) => (text === 'true' || text === 'false' ? text === 'true' : text);

test.each(SETTINGS)('--$option, $variable and $key say the same, and count in this order', async (setting) => {
  const { key, variable, option } = setting;
  const { texts, values } = EXAMPLES[key] as Example;
  const argv = asOption(setting, texts[0]);
  const env = { [variable]: texts[1] };
  const keys = { [key]: isSwitch(setting) ? ofSwitch(texts[2]) : texts[2] };
  const all = await settled({ argv, env, keys });
  expect([all.options[key], all.origin(key)]).toEqual([values[0], { source: 'option', place: `--${option}` }]);
  const two = await settled({ env, keys });
  expect([two.options[key], two.origin(key)]).toEqual([values[1], { source: 'variable', place: variable }]);
  const one = await settled({ keys });
  expect([one.options[key], one.origin(key)]).toEqual([values[2], { source: 'file', place: `${file}:3` }]);
  const none = await settled({ keys: {} });
  expect(none.origin(key)).toEqual({ source: 'default', place: '' });
  expect(none.options[key]).toEqual({ ...DEFAULTS, stateDir: defaultStateDir(), guard: true }[key]);
});

test.each(SETTINGS)(
  'a wrong value of --$option is refused with its place, as option, variable and key',
  async (setting) => {
    const { key, variable } = setting;
    const { wrong } = EXAMPLES[key] as Example;
    await expect(settled({ env: { [variable]: wrong } })).rejects.toThrow(new RegExp(`^${variable}: .+`));
    await expect(settled({ keys: { [key]: wrong } })).rejects.toThrow(new RegExp(`^${file}:3(:\\d+)?: ${key}: .+`));
    if (!isSwitch(setting))
      await expect(settled({ argv: [`--${setting.option}=${wrong}`] })).rejects.toThrow(setting.option);
  },
);

test('the configuration is that of the option, else of the variable, else of the host', async () => {
  const other = join(dir, 'other.yaml');
  writeFileSync(other, 'version: 1\nlogLevel: warn\n');
  const keys = { logLevel: 'error' };
  const named = async (given: Given) => {
    const { options, origin } = await settled({ keys, ...given });
    return [options.config, options.logLevel, origin('config')?.source];
  };
  expect(await named({})).toEqual([file, 'error', 'default']);
  expect(await named({ env: { TAUT_CONFIG: other } })).toEqual([other, 'warn', 'variable']);
  expect(await named({ argv: ['--config', other], env: { TAUT_CONFIG: '/none' } })).toEqual([other, 'warn', 'option']);
  await expect(named({ env: { TAUT_CONFIG: '/none' } })).rejects.toThrow('/none: ENOENT');
  await expect(named({ env: { TAUT_CONFIG: '' } })).rejects.toThrow('TAUT_CONFIG: it is empty');
  rmSync(file);
  const { options } = await settled({});
  expect(options.config).toBeUndefined();
});

test('a path in a configuration is relative to that, and ~ is refused there, too', async () => {
  const { options } = await settled({ keys: { flags: 'flags.json', stateDir: 'state' } });
  expect([options.flags, options.stateDir]).toEqual([join(dir, 'flags.json'), join(dir, 'state')]);
  expect((await settled({ keys: { flagProvider: './p.js' } })).options.flagProvider).toBe(join(dir, 'p.js'));
  writeFileSync(join(dir, 'options.json'), '{"port": 8013}');
  const options2 = (await settled({ keys: { flagProviderOptions: 'options.json' } })).options;
  expect(options2.flagProviderOptions).toEqual({ port: 8013 });
});

test("the host's state directory is root's alone, and a configuration that others can write does not count", async () => {
  const keys = { stateDir: '/srv/taut', logLevel: 'warn' };
  const { options } = await settled({ keys, uid: 1000 });
  expect([options.stateDir, options.logLevel]).not.toContain('/srv/taut');
  expect(options.logLevel).toBe('warn');
  chmodSync(file, 0o666);
  await expect(settled({})).rejects.toThrow(/taut\.yaml does not count: other users can write to/);
});

test('what puts back goes on where the configuration has a mistake, with what can be understood of it', async () => {
  writeFileSync(file, 'version: 1\nstateDir: /srv/taut\nlogLevel: loud\nrulez: []\n');
  for (const name of ['restore', 'off', 'status']) {
    const { options } = await settled({ name });
    expect([options.stateDir, options.logLevel], name).toEqual(['/srv/taut', 'info']);
  }
  await expect(settled({ name: 'watch' })).rejects.toThrow(
    /taut\.yaml:3:11: logLevel: .*\n.*taut\.yaml:4:1: unknown key/,
  );
  writeFileSync(file, 'version: [\n');
  expect((await settled({ name: 'off' })).options.stateDir).toBe(defaultStateDir());
});

test('a flag file and a provider exclude each other, unless one has more authority', async () => {
  const { options } = await settled({ argv: ['--flags', '/f'], env: { TAUT_FLAG_PROVIDER: 'p' } });
  expect([options.flags, options.flagProvider]).toEqual(['/f', undefined]);
  const other = await settled({ env: { TAUT_FLAG_PROVIDER: 'p' }, keys: { flags: '/f' } });
  expect([other.options.flags, other.options.flagProvider]).toEqual([undefined, 'p']);
  await expect(settled({ keys: { flags: '/f', flagProvider: 'p' } })).rejects.toThrow(
    /taut\.yaml:3 and .*:4 exclude each other/,
  );
  await expect(settled({ argv: ['--flags', '/f', '--flag-provider', 'p'] })).rejects.toThrow(
    '--flags and --flag-provider exclude',
  );
});

test('what is asked for says where', async () => {
  const why = async (given: Given) => {
    const { targets, why: words, configured } = asked((await settled(given)).options);
    return [targets.get('timer_slack_ns'), words.get('timer_slack_ns'), configured.has('timer_slack_ns')];
  };
  expect(await why({ argv: ['--optimize-timer-slack=2us'] })).toEqual([2_000n, undefined, false]);
  expect(await why({ env: { TAUT_OPTIMIZE_TIMER_SLACK: '2us' } })).toEqual([
    2_000n,
    'TAUT_OPTIMIZE_TIMER_SLACK',
    false,
  ]);
  expect(await why({ keys: { optimizeTimerSlack: '2us' } })).toEqual([2_000n, `optimizeTimerSlack (${file}:3)`, true]);
  expect(await why({ keys: { optimize: 'timers' } })).toEqual([1n, `optimize: timers (${file}:3)`, true]);
  expect(await why({ env: { TAUT_OPTIMIZE: 'timers' } })).toEqual([1n, 'TAUT_OPTIMIZE=timers', false]);
  expect(await why({ argv: ['--optimize=off'], keys: { optimize: 'timers' } })).toEqual([undefined, undefined, false]);
  // A key of one setting comes before a profile, wherever each stands.
  expect(await why({ argv: ['--optimize=timers'], keys: { optimizeTimerSlack: 'off' } })).toEqual([
    ...[undefined, `optimizeTimerSlack: off (${file}:3)`, true],
  ]);
});

test('what has changed beside the rules, which a running taut reads again, is named', () => {
  const config = (keys: object) => configSchema.parse({ version: 1, ...keys });
  const rules = [{ id: 'a', program: 'x' }];
  expect(otherThanRules(config({ rules, flagPoll: '5s' }), config({ builtin: false, flagPoll: '5s' }))).toEqual([]);
  expect(
    otherThanRules(
      config({ flagPoll: '5s', optimizeTimerSlack: 1, flagProviderOptions: { a: [1] } }),
      config({ logLevel: 'warn', optimizeTimerSlack: '1us', flagProviderOptions: { a: [2] } }),
    ).sort(),
  ).toEqual(['flagPoll', 'flagProviderOptions', 'logLevel', 'optimizeTimerSlack']);
});

test('the table of the page of configuration is that of the code: npm run docs writes it', () => {
  const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  expect(withSettings(text)).toBe(text);
});
