/** What a person names as a file may be none: a pipe that nobody writes to, a folder, a device, a huge file, a link to itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outcome, Program } from '../support/program.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

const NOT_READ = /is not a file|is larger than 4 MiB|is a pipe to which nobody writes|is a folder|ELOOP/;

/** Seconds, for one that waits: it must not outlive its test. */
const LIMIT_S = '60';

/** Words of a command, with FILE in the place of the file; or the variable that names it to `watch`. */
const COMMANDS: readonly (readonly string[] | string)[] = [
  ['watch', '--config', 'FILE'],
  ['config', 'check', 'FILE'],
  ['watch', '--flags', 'FILE'],
  ['watch', '--flag-provider', 'any', '--flag-provider-options', 'FILE'],
  ['attach', '1', '--config', 'FILE'],
  ['run', '--config', 'FILE', '--', 'true'],
  ['explain', '1', '--config', 'FILE'],
  ['config', 'import', 'FILE'],
  ['flags', 'check', 'FILE'],
  'OTEL_CONFIG_FILE',
  'OTEL_EXPORTER_OTLP_CERTIFICATE',
];

test('no command waits for such a file, or fills the memory with it: each says what is wrong, and ends with 2', async () => {
  using sandbox = new Sandbox();
  const at = (name: string) => join(sandbox.dir, name);
  execFileSync('mkfifo', [at('pipe')]);
  mkdirSync(at('folder'));
  symlinkSync('/dev/zero', at('device'));
  writeFileSync(at('huge'), '');
  truncateSync(at('huge'), 2 ** 30);
  symlinkSync('loop', at('loop'));
  for (const [i, command] of COMMANDS.entries())
    await Promise.all(
      // All read by the same two functions, so the first two commands stand for all with what is no pipe.
      ['pipe', ...(i < 2 ? ['folder', 'device', 'huge', 'loop'] : [])].map(async (name) => {
        const isVariable = typeof command === 'string';
        const words = isVariable ? ['watch'] : command.map((word) => (word === 'FILE' ? at(name) : word));
        const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://127.0.0.1:1' };
        const env = { ...process.env, ...(isVariable && { ...endpoint, [command]: at(name) }) };
        const isCheck = words[0] === 'config' || words[0] === 'flags';
        const state = isCheck ? [] : ['--state-dir', sandbox.stateDir];
        await using taut = new Program(
          'timeout',
          [LIMIT_S, LAUNCHER, words[0] ?? '', ...state, ...words.slice(1)],
          env,
        );
        const { code, err } = await outcome(taut);
        expect([code, NOT_READ.test(err)], `${words.join(' ')}: ${err}`).toEqual([2, true]);
      }),
    );
});

test('a configuration that is checked may come through a pipe of the shell', async () => {
  await using taut = new Program('bash', ['-c', '"$0" config check --strict <(sleep 0.2; echo version: 1)', LAUNCHER]);
  expect(await outcome(taut)).toMatchObject({ code: 0, err: '' });
});

test('what puts things back goes on without its configuration', async () => {
  using sandbox = new Sandbox();
  execFileSync('mkfifo', [join(sandbox.dir, 'pipe')]);
  for (const command of ['status', 'restore', 'off', 'on']) {
    const words = [command, '--state-dir', sandbox.stateDir, '--config', join(sandbox.dir, 'pipe')];
    await using taut = new Program('timeout', [LIMIT_S, LAUNCHER, ...words]);
    const { code, err } = await outcome(taut);
    expect([code, err], command).toEqual([0, expect.stringContaining('is not a file')]);
  }
});
