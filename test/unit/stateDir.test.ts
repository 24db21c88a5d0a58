import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { defaultStateDir, stateDirProblem } from '../../src/cli/stateDir.ts';

const dir = mkdtempSync(join(tmpdir(), 'taut-state-'));
afterAll(() => rmSync(dir, { recursive: true }));
writeFileSync(join(dir, 'file'), '');
mkdirSync(join(dir, 'there'));
symlinkSync('there', join(dir, 'link'));
symlinkSync('nowhere', join(dir, 'dangling'));
symlinkSync('loop', join(dir, 'loop'));

/** A path of so many bytes, of which some are of characters that have two. */
const long = (bytes: number) => `/tmp/\u00e9${'x'.repeat(bytes - 7)}`;

test.each(['', ' ', '\t\n', '~', '~/x', '~root/x', '$HOME/x', '$'.concat('{STATE}'), long(98), long(400)])(
  '%j is no state directory',
  (text) => {
    expect(stateDirProblem(text)).toBeTypeOf('string');
  },
);

test.each(['file', 'file/below', 'file/further/below', 'dangling', 'loop', 'loop/x'])('%s is none', (name) => {
  expect(stateDirProblem(join(dir, name))).toContain(dir);
});

test.each(['there', 'not-yet', 'not/yet', 'link', 'link/x', 'there/~', 'there/$x'])('%s is one', (name) => {
  expect(stateDirProblem(join(dir, name))).toBeUndefined();
});

test('says what was meant by ~, and takes what the socket can take to the byte', () => {
  expect(stateDirProblem('~/x')).toContain(join(homedir(), 'x'));
  expect(stateDirProblem(long(97))).toBeUndefined();
  expect(stateDirProblem('relative/is/fine')).toBeUndefined();
});

test('a user without a home, or with one that is no path, has a default all the same', () => {
  const source = join(import.meta.dirname, '../../src/cli/stateDir.ts');
  const say = `import { defaultStateDir } from ${JSON.stringify(source)}; console.log(defaultStateDir())`;
  const user = process.getuid?.() === 0 ? ['setpriv', '--reuid=4242', '--regid=4242', '--clear-groups', '--'] : [];
  for (const home of [[], ['HOME='], ['HOME=here']]) {
    const [command = '', ...args] = [...user, 'env', '-i', ...home, process.execPath, '--input-type=module', '-e', say];
    const path = execFileSync(command, args, { encoding: 'utf8', cwd: '/' }).trim();
    expect(path, home.join()).toMatch(/^\/.*\.local\/state\/taut$/);
  }
});

test('an XDG_STATE_HOME that is empty or relative is as if it were not there', () => {
  const plain = defaultStateDir({});
  for (const given of ['', 'relative']) expect(defaultStateDir({ XDG_STATE_HOME: given })).toBe(plain);
});
