/** A file that taut reads again may be replaced by anything, by whoever may write it: nothing of it keeps taut. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { FlagFile } from '../../src/gate/flagFile.ts';
import { flagKey } from '../../src/gate/gate.ts';
import { readOnce, readSmallFile } from '../../src/util/smallFile.ts';
import { until } from '../support/program.ts';

const dir = mkdtempSync(join(tmpdir(), 'taut-small-'));
afterAll(() => rmSync(dir, { recursive: true }));
const at = (name: string) => join(dir, name);

test('reads a file whole, also through a link', () => {
  for (const text of ['', 'a', 'ä'.repeat(100_000)]) {
    writeFileSync(at('file'), text);
    expect(readSmallFile(at('file')), `${text.length} characters`).toBe(text);
  }
  symlinkSync('file', at('link'));
  expect(readSmallFile(at('link'))).toHaveLength(100_000);
});

test('waits for no pipe, reads no device or folder, and nothing that is too long', () => {
  execFileSync('mkfifo', [at('pipe')]);
  for (const path of [at('pipe'), '/dev/zero', dir]) expect(() => readSmallFile(path), path).toThrow('is not a file');
  writeFileSync(at('long'), 'x'.repeat(11));
  expect(() => readSmallFile(at('long'), 10)).toThrow('is larger than');
  expect(readSmallFile(at('long'), 11)).toHaveLength(11);
});

test('what is read once may be a pipe that somebody writes to; nothing endless fills the memory', () => {
  writeFileSync(at('once'), 'ä'.repeat(100_000));
  expect(readOnce(at('once'))).toHaveLength(100_000);
  expect(readOnce('/dev/null')).toBe('');
  const script = `import { readOnce } from '${import.meta.dirname}/../../src/util/smallFile.ts'; process.stdout.write(readOnce(process.argv[1] === '-' ? 0 : process.argv[1]))`;
  const node = `"${process.execPath}" --input-type=module -e "$0"`;
  const read = (command: string) => execFileSync('bash', ['-c', command, script], { encoding: 'utf8' });
  expect(read(`${node} <(sleep 0.3; echo later)`)).toBe('later\n');
  expect(read(`(sleep 0.3; echo words) | ${node} -`)).toBe('words\n');
  execFileSync('mkfifo', [at('idle')]);
  expect(() => readOnce(at('idle'))).toThrow('is a pipe to which nobody writes');
  expect(() => readOnce(dir)).toThrow('is a folder');
  expect(() => readOnce('/dev/zero')).toThrow('/dev/zero is larger than 4 MiB');
});

test('a flag file that becomes a pipe can not be read, which is said, and keeps nobody', async () => {
  const path = at('flags.json');
  const flags = {
    flags: { [flagKey(timerSlack)]: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' } },
  };
  writeFileSync(path, JSON.stringify(flags));
  const said: string[] = [];
  const file = new FlagFile(path, (message) => said.push(message));
  await file.initialize();
  rmSync(path);
  execFileSync('mkfifo', [path]);
  await until('it is said', () => said.some((message) => message.includes('is not a file')));
  await file.onClose();
});
