import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { distrust } from '../../src/util/trust.ts';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'taut-trust-')));
afterAll(() => rmSync(dir, { recursive: true }));

/** Makes a directory with this mode, whatever the umask is. @returns its path. */
function folder(name: string, mode: number): string {
  const path = join(dir, name);
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  return path;
}

test.each([
  ['closed to others', 0o700],
  ['that others may read', 0o755],
])('trusts a directory %s, and what is not there yet', (name, mode) => {
  const path = folder(name, mode);
  expect(distrust(path, 'file')).toBeUndefined();
  expect(distrust(join(path, 'not', 'yet'), 'file')).toBeUndefined();
});

test.each([
  ['its group', 0o770],
  ['everybody', 0o707],
  ['everybody, with the sticky bit', 0o1777],
])('distrusts a directory to which %s may write', (name, mode) => {
  const path = folder(name, mode);
  expect(distrust(path)).toBe(`other users can write to ${path}: chmod go-w ${path}`);
});

test('trusts what is below a directory with the sticky bit, and not below one without', () => {
  folder('sticky', 0o1777);
  expect(distrust(folder('sticky/own', 0o700))).toBeUndefined();
  const open = folder('open', 0o777);
  expect(distrust(folder('open/own', 0o700))).toContain(`can write to ${open}:`);
  expect(distrust(folder('open/own/further', 0o700))).toContain(`can write to ${open}:`);
});

test('follows no link itself, and above it only those that a trusted user made', () => {
  const own = folder('own', 0o700);
  symlinkSync('own', join(dir, 'link'));
  expect(distrust(join(dir, 'link'))).toContain(`${join(dir, 'link')} is a link`);
  expect(distrust(join(dir, 'link/below'))).toBeUndefined();
  for (const [name, target] of [
    ['dangling', 'nowhere'],
    ['loop', 'loop'],
  ] as const) {
    symlinkSync(target, join(dir, name));
    expect(distrust(join(dir, name, 'below'))).toBeUndefined();
  }
  symlinkSync('/etc/passwd', join(own, 'ledger.db'));
  expect(distrust(own)).toBeUndefined();
  expect(distrust(own, 'ledger.db')).toContain(`${join(own, 'ledger.db')} is a link`);
  folder('target', 0o777);
  folder('target/own', 0o700);
  symlinkSync('target/own', join(dir, 'away'));
  expect(distrust(join(dir, 'away/below'))).toContain(`can write to ${join(dir, 'target')}:`);
});

test.runIf(process.geteuid?.() === 0)(
  'to root, who has no group of its own, a group that may write above is others',
  () => {
    const shared = folder('shared', 0o775); // root's group, or what an access control list shows
    expect(distrust(folder('shared/own', 0o700))).toBe(`other users can write to ${shared}: chmod go-w ${shared}`);
  },
);

test('takes no pipe for a file of its own', () => {
  const path = folder('pipes', 0o700);
  execFileSync('mkfifo', ['-m', '600', join(path, 'ledger.db')]);
  expect(distrust(path, 'ledger.db')).toContain('ledger.db is a pipe or a device');
});

test('looks at each named file', () => {
  const path = folder('files', 0o700);
  writeFileSync(join(path, 'good'), '', { mode: 0o600 });
  writeFileSync(join(path, 'bad'), '');
  chmodSync(join(path, 'bad'), 0o666);
  expect(distrust(path, 'good', 'missing')).toBeUndefined();
  expect(distrust(path, 'good', 'bad')).toContain(`can write to ${join(path, 'bad')}:`);
});
