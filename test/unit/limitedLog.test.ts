import { expect, test } from 'vitest';
import { limited } from '../../src/util/limitedLog.ts';
import { createLog } from '../../src/util/log.ts';

function logged() {
  const lines: string[] = [];
  const due: (() => void)[] = [];
  const log = limited(
    createLog('debug', (line) => lines.push(line)),
    (call) => void due.push(call),
  );
  const pass = () => {
    for (const call of due.splice(0)) call();
  };
  return { lines, log, pass };
}

test('of 5,000 messages that differ in numbers a hundred are logged, and how many there were more', () => {
  const { lines, log, pass } = logged();
  for (let pid = 1; pid <= 5_000; pid++) log.info(`attached to claude (${pid})`);
  log.info('attached to another');
  expect(lines).toHaveLength(101);
  pass();
  expect(lines.slice(100)).toEqual([
    'taut: attached to another',
    'taut: … and 4900 times more what is like: attached to claude (1)',
  ]);
  log.info('attached to claude (7)');
  expect(lines.at(-1)).toBe('taut: attached to claude (7)');
});

test('each level and each kind is limited by itself, what is left out is said at the end, and debug is as it was', () => {
  const { lines, log } = logged();
  for (let n = 1; n <= 150; n++) {
    for (const say of [log.info, log.warn, log.error, log.debug]) say(`thread ${n}`);
    log.info(`${n} others`);
  }
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  expect(count(/^taut: thread/)).toBe(100);
  expect(count(/^taut: \d+ others/)).toBe(100);
  expect(count(/^taut: warn: thread/)).toBe(100);
  expect(count(/^taut: error: thread/)).toBe(150);
  expect(count(/^taut: debug: thread/)).toBe(150);
  log[Symbol.dispose]();
  expect(lines.slice(600)).toEqual([
    'taut: … and 50 times more what is like: thread 1',
    'taut: warn: … and 50 times more what is like: thread 1',
    'taut: … and 50 times more what is like: 1 others',
  ]);
});
