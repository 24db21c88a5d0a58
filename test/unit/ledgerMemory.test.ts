/** What a taut has on record is known to it without the file, too: a state directory may be removed while it runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import { LedgerError } from '../../src/actuator/ledgerFile.ts';

const asText = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
const few = fc.integer({ min: 1, max: 4 });
const entry = fc.record({
  ...{ tid: few, startTicks: few, pid: few, processStartTicks: few, atMs: few },
  knob: fc.constantFrom('timer_slack_ns', 'another'),
  original: fc.bigInt({ min: 0n, max: 9n }),
  target: fc.bigInt({ min: 0n, max: 9n }),
  agent: fc.constantFrom('a', 'b'),
  rule: fc.constantFrom('r', 's'),
  operation: fc.constantFrom('x', 'y'),
  reason: fc.constant('why'),
});
const step = fc.oneof(
  fc.record({ record: fc.array(entry, { maxLength: 5 }) }),
  fc.record({ remove: fc.array(entry, { maxLength: 5 }) }),
);
const filter = fc.record(
  {
    pids: fc.array(few, { minLength: 1 }),
    agent: fc.constantFrom('a', 'b'),
    rule: fc.constantFrom('r', 's'),
    operation: fc.constantFrom('x', 'y'),
    before: few,
  },
  { requiredKeys: [] },
);

test('the entries in memory are those in the file, by every filter', () => {
  const directory = mkdtempSync(join(tmpdir(), 'taut-memory-'));
  let n = 0;
  try {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), filter, (steps, wanted) => {
        using ledger = new Ledger(join(directory, String(n++)));
        for (const done of steps) {
          if ('record' in done) ledger.record(done.record);
          else ledger.remove(done.remove);
        }
        const sorted = () =>
          ledger
            .entries(wanted)
            .map((e) => JSON.stringify(Object.entries(e).sort(), asText))
            .sort();
        const [inFile, count] = [sorted(), ledger.count()];
        ledger.abandon();
        expect(sorted()).toEqual(inFile);
        expect([ledger.count(), ledger.ownCount]).toEqual([count, count]);
      }),
      { numRuns: 100 },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a ledger that was removed or replaced says so, and takes nothing more', () => {
  const directory = mkdtempSync(join(tmpdir(), 'taut-memory-'));
  using ledger = new Ledger(directory);
  expect(ledger.isInPlace()).toBe(true);
  rmSync(directory, { recursive: true });
  expect(ledger.isInPlace()).toBe(false);
  using other = new Ledger(directory);
  expect([ledger.isInPlace(), other.isInPlace()]).toEqual([false, true]);
  ledger.abandon();
  const thread = { tid: 1, startTicks: 1, knob: 'k', pid: 1, processStartTicks: 1, original: 2n, target: 1n };
  const why = { agent: 'a', rule: 'r', reason: 'w', atMs: 1, operation: 'x' };
  expect(() => ledger.record([{ ...thread, ...why }])).toThrow(LedgerError);
  rmSync(directory, { recursive: true });
});
