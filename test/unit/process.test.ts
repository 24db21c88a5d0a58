import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitCommandLine } from '../../src/cli/splitCommandLine.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';
import { parseStat } from '../../src/proc/stat.ts';

const stat = (comm: string) =>
  `4711 (${comm}) S 17 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 987654 100 200 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n`;

test('finds the fields of stat behind any name, also one that imitates stat', () => {
  fc.assert(
    fc.property(fc.string(), (comm) => {
      expect(parseStat(stat(comm))).toEqual({
        state: 'S',
        ppid: 17,
        threads: 11,
        startTicks: 987_654,
        policy: 0,
        flags: 4_194_560,
      });
    }),
  );
  expect(parseStat(stat(') R 1 (x')).ppid).toBe(17);
});

test.each([
  [['node', '--flag', '-r', 'mod', '/a/cli.js', 'x'], '/usr/bin/node', 'cli', 'node'],
  [['node', '--', 'x.mjs'], '/usr/bin/node', 'x', 'node'],
  [['node', '-e', 'code', 'x.js'], '/usr/bin/node', 'node', 'node'],
  [['node'], '/usr/bin/node', 'node', 'node'],
  [['python3.11', '-X', 'dev', '-W', 'ignore', '-m', 'pkg.mod', 'x'], '/usr/bin/python3.11', 'pkg', 'python'],
  [['bun', 'run', '/a/b.ts'], '/usr/bin/bun', 'b', 'bun'],
  [['deno', 'run', '-A', 'x.ts'], '/usr/bin/deno', 'x', 'deno'],
  [['my title with words'], '/usr/bin/node', 'my', 'node'],
  [['/usr/bin/tool.exe', 'a'], '/usr/bin/tool.exe', 'tool', undefined],
  [[], '/usr/bin/tool', 'tool', undefined],
  [[], undefined, '', undefined],
] as const)('%j runs %s', (argv, exe, name, interpreter) => {
  expect(effectiveProgram(argv, () => exe)).toMatchObject({ name, interpreter });
});

test('reads the package from the path of the script', () => {
  const packageOf = (path: string) => effectiveProgram(['node', path], () => '/usr/bin/node').package;
  expect(packageOf('/x/node_modules/@openai/codex/bin/codex.js')).toBe('@openai/codex');
  expect(packageOf('/x/node_modules/a/node_modules/b/c.js')).toBe('b');
  expect(packageOf('/x/node_modules/.bin/b')).toBeUndefined();
  expect(packageOf('/x/y.js')).toBeUndefined();
});

test.each([
  ['node /x/cli.js  --a b', ['node', '/x/cli.js', '--a', 'b']],
  [`a "b c" 'd "e' f\\ g ""`, ['a', 'b c', 'd "e', 'f g', '']],
  ['', []],
])('%j are the words %j', (text, words) => {
  expect(splitCommandLine(text)).toEqual(words);
});
