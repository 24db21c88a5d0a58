import { expect, test } from 'vitest';
import { FailureLog } from '../../src/util/failureLog.ts';
import { createLog } from '../../src/util/log.ts';

test('a failure that comes again and again is said once a minute, with how often it came', () => {
  const lines: string[] = [];
  let now = 0;
  const failures = new FailureLog(
    createLog('info', (line) => lines.push(line)),
    () => now,
  );
  for (let pid = 1; pid <= 1_000; pid++) failures.say(`process ${pid}: too many open files (EMFILE)`);
  failures.say('the gate: out of order');
  now = 60_001;
  failures.say('process 7: too many open files (EMFILE)');
  expect(lines).toEqual([
    'taut: error: process 1: too many open files (EMFILE)',
    'taut: error: the gate: out of order',
    'taut: error: process 7: too many open files (EMFILE) (and 999 times more since it was last said)',
  ]);
});

test('a thousand kinds of failures are all said, and not kept', () => {
  const lines: string[] = [];
  const failures = new FailureLog(
    createLog('info', (line) => lines.push(line)),
    () => 0,
  );
  const kind = (n: number) => String.fromCodePoint(0x4e00 + n);
  for (let round = 0; round < 2; round++) for (let n = 0; n < 1_000; n++) failures.say(kind(n));
  expect(lines).toHaveLength(2_000);
});
