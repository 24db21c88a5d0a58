import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../src/util/folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'taut-folder-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('a folder is made with those above it, for its user alone, and one that is there stays as it is', () => {
  const path = join(dir, 'a', 'b');
  for (let i = 0; i < 2; i++) makeFolder(path);
  expect([path, join(dir, 'a')].map((one) => statSync(one).mode & 0o777)).toEqual([0o700, 0o700]);
  mkdirSync(join(dir, 'open'), { mode: 0o755 });
  makeFolder(join(dir, 'open'));
  expect(statSync(join(dir, 'open')).mode & 0o777).toBe(0o755);
});

test('where there can be none, an error says so', () => {
  expect(() => makeFolder('/proc/x/y')).toThrow('ENOENT');
  symlinkSync('nowhere', join(dir, 'link'));
  writeFileSync(join(dir, 'file'), '');
  for (const one of ['link', 'link/in', 'file', 'file/in'])
    expect(() => makeFolder(join(dir, one)), one).toThrow('EEXIST');
});
