/** The plugins for agents: files that are right, and hooks that no agent notices. The agents themselves are run by test/plugins. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Hooks {
  readonly hooks: Record<string, { readonly hooks: { readonly type: string; readonly command: string }[] }[]>;
}

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** What each agent calls the beginning and the ends of a turn, and the file that says which plugin it is. */
const PLUGINS = [
  {
    name: 'claude-code',
    manifest: '.claude-plugin/plugin.json',
    begin: 'UserPromptSubmit',
    end: ['Stop', 'StopFailure'],
  },
  { name: 'codex', manifest: '.codex-plugin/plugin.json', begin: 'UserPromptSubmit', end: ['Stop', 'Interrupt'] },
  { name: 'gemini-cli', manifest: 'gemini-extension.json', begin: 'BeforeAgent', end: ['AfterAgent'] },
  { name: 'qwen-code', manifest: 'qwen-extension.json', begin: 'UserPromptSubmit', end: ['Stop', 'StopFailure'] },
];
const commandsOf = (name: string, event: string) =>
  ((read(`plugins/${name}/hooks/hooks.json`) as Hooks).hooks[event] ?? []).flatMap(({ hooks }) => hooks);
const ALL = PLUGINS.flatMap(({ name, begin, end }) => [begin, ...end].flatMap((event) => commandsOf(name, event)));
const COMMANDS = [...new Set(ALL.map(({ command }) => command))];

/** More than a pipe holds. */
const PROMPT = JSON.stringify({ session_id: 'one', prompt: 'x'.repeat(1_000_000) });

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-plugins-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Puts a program in the place of taut's own. @returns the PATH with it. */
function standIn(script: string): string {
  writeFileSync(join(dir, 'taut-turn'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, 'taut-turn'), 0o755);
  return `${dir}:/usr/bin:/bin`;
}

/** As an agent runs a hook. `error` is set when the hook did not take all that it was told. */
function hook(shell: string, command: string, path: string) {
  const [program = '', ...options] = shell.split(' ');
  return spawnSync(program, [...options, '-c', command], { input: PROMPT, env: { PATH: path }, encoding: 'utf8' });
}
const NOTHING = { status: 0, stdout: '', stderr: '' };

test('there is a plugin in each folder, of the version of taut', () => {
  const folders = readdirSync(join(root, 'plugins')).filter((name) => !name.startsWith('.'));
  expect(folders.toSorted()).toEqual(PLUGINS.map(({ name }) => name));
  const { version, files } = read('package.json') as { version: string; files: string[] };
  expect(files).toContain('plugins');
  for (const { name, manifest } of PLUGINS)
    expect(read(`plugins/${name}/${manifest}`)).toMatchObject({ name: 'taut', version });
});

test('the marketplaces have the plugins that are there', () => {
  const [claude] = read('plugins/.claude-plugin/marketplace.json').plugins;
  expect(readdirSync(join(root, 'plugins', claude.source))).toContain('.claude-plugin');
  const [codex] = read('plugins/.agents/plugins/marketplace.json').plugins;
  expect(readdirSync(join(root, 'plugins', codex.source.path))).toContain('.codex-plugin');
});

/** Beside them; what that is for stands in the file. */
const NOTHING_AT: Readonly<Record<string, readonly string[]>> = { 'claude-code': ['SessionStart'] };

test.each(PLUGINS)(
  '$name tells of the beginning of a turn and of each of its ends, and of nothing else',
  ({ name, begin, end }) => {
    const { hooks } = read(`plugins/${name}/hooks/hooks.json`) as Hooks;
    const idle = NOTHING_AT[name] ?? [];
    expect(Object.keys(hooks)).toEqual([...idle, begin, ...end]);
    for (const event of idle) expect(commandsOf(name, event)).toMatchObject([{ type: 'command', command: ':' }]);
    for (const event of [begin, ...end]) {
      const [told, ...more] = commandsOf(name, event);
      expect(more).toEqual([]);
      expect(told).toMatchObject({
        type: 'command',
        command: expect.stringContaining(`taut-turn ${event === begin ? 'begin' : 'end'} `),
      });
    }
  },
);

test.each(['sh', 'bash --norc'])(
  'without taut a hook says nothing, takes all that it is told, and succeeds, in %s',
  (shell) => {
    for (const command of COMMANDS) expect(hook(shell, command, '/usr/bin:/bin')).toMatchObject(NOTHING);
    for (const command of COMMANDS) expect(hook(shell, command, '/usr/bin:/bin').error).toBeUndefined();
  },
);

test.each(['exit 1', 'echo out; echo err >&2', 'kill -SEGV $$', 'exec /nowhere', 'cat >/dev/null; exit 3'])(
  'whatever taut does, the agent does not see it: %s',
  (script) => {
    const path = standIn(script);
    for (const command of COMMANDS) {
      const { error, ...rest } = hook('sh', command, path);
      expect(error).toSatisfy(
        (one: NodeJS.ErrnoException | undefined) => one === undefined || script.startsWith('echo'),
      );
      expect(rest).toMatchObject(NOTHING);
    }
  },
);

test('a hook gives taut what the agent says, and where in the turn it is', () => {
  const told = join(dir, 'told');
  const path = standIn(`echo "$1" >>${told}; cat >>${told}; echo >>${told}`);
  for (const command of COMMANDS) expect(hook('sh', command, path)).toMatchObject(NOTHING);
  expect(readFileSync(told, 'utf8').split('\n')).toEqual([
    ...COMMANDS.flatMap((command) => [/begin|end/.exec(command)?.[0], PROMPT]),
    '',
  ]);
});
