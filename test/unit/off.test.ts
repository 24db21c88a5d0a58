/** The kill switch: the file, and the gate that it shuts. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeOff, isOff, offPath, readOff, turnOff, turnOn } from '../../src/actuator/off.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import type { Gate, GateDecision } from '../../src/gate/gate.ts';
import { OffGate } from '../../src/gate/offGate.ts';
import { until } from '../support/program.ts';

const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };
const MADE = { reason: 'incident 4711', since: '2026-01-02T03:04:05.000Z', by: 'user root (0)' };
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-off-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const gateThat = (decide: Gate['decide']): Gate => ({ decide, onChange: () => () => {}, close: async () => {} });
const open: GateDecision = { value: 1n, reason: 'the test says so' };

test('it says who turned it, when and why, and leaves nothing behind when it is lifted', () => {
  expect([isOff(dir), readOff(dir)]).toEqual([false, undefined]);
  turnOff(dir, MADE);
  expect([isOff(dir), readOff(dir)]).toEqual([true, MADE]);
  turnOff(dir, { ...MADE, reason: null });
  expect(readOff(dir)).toEqual({ ...MADE, reason: null });
  expect(turnOn(dir)).toEqual({ ...MADE, reason: null });
  expect([turnOn(dir), readdirSync(dir)]).toEqual([undefined, []]);
});

test.each([
  ['', null],
  ['maintenance\n', 'maintenance'],
  ['{"reason": 7, "since": {}}', null],
  ['[]', null],
  ['null', 'null'],
  [`{"reason": "${'x'.repeat(20_000)}"}`, null],
])('a file of %j, which somebody made by hand, turns tuning off as well', (text, reason) => {
  writeFileSync(offPath(dir), text);
  expect(readOff(dir)).toMatchObject({ reason, since: expect.stringMatching(/^20/) });
});

test('whatever is there in place of the file turns tuning off, and a directory that is not there does not', () => {
  mkdirSync(offPath(dir));
  expect(readOff(dir)).toMatchObject({ reason: null });
  rmSync(offPath(dir), { recursive: true });
  symlinkSync('/nowhere', offPath(dir));
  expect([isOff(dir), readOff(dir)]).toMatchObject([true, { reason: null }]);
  expect([isOff(join(dir, 'none')), isOff('/dev/null/none')]).toEqual([false, false]);
});

test('what is said of it is a sentence, with what is known', () => {
  expect(describeOff(MADE)).toBe('tuning is off since 2026-01-02T03:04:05.000Z, by user root (0): incident 4711');
  expect(describeOff({ reason: null, since: null, by: null })).toBe('tuning is off');
});

test('the gate is shut while it is off, whatever is behind it, and that is not even asked', async () => {
  let asked = 0;
  const behind = gateThat(() => {
    asked++;
    return open;
  });
  const gate = new OffGate(behind, dir, () => {});
  expect([await gate.decide(question), gate.isOff]).toEqual([open, false]);
  turnOff(dir, MADE);
  expect(await gate.decide(question)).toEqual({
    layer: 'never',
    value: null,
    reason: `${describeOff(MADE)} (taut on lifts that)`,
  });
  expect([asked, gate.isOff]).toEqual([1, true]);
  turnOn(dir);
  expect(await gate.decide(question)).toEqual(open);
  await gate.close();
});

test('an answer that was asked for before tuning was turned off does not open the gate', async () => {
  const { promise, resolve } = Promise.withResolvers<GateDecision>();
  const gate = new OffGate(
    gateThat(() => promise),
    dir,
    () => {},
  );
  const decision = gate.decide(question);
  turnOff(dir, MADE);
  resolve(open);
  expect(await decision).toMatchObject({ value: null });
  await gate.close();
});

test('it is told of each turn once: of its own look, or of being told to look', async () => {
  const told: (string | null | undefined)[] = [];
  let changes = 0;
  const gate = new OffGate(
    gateThat(() => open),
    dir,
    (off) => told.push(off?.reason),
  );
  gate.look();
  gate.onChange(() => changes++);
  turnOff(dir, MADE);
  gate.look();
  gate.look();
  expect([told, changes]).toEqual([['incident 4711'], 1]);
  turnOff(dir, { ...MADE, reason: 'another reason' });
  gate.look();
  gate.look();
  expect([told, changes], 'who turns it off once more gives another reason').toEqual([['incident 4711'], 2]);
  expect((await gate.decide(question)).reason).toContain('another reason');
  turnOn(dir);
  await until('it has looked by itself', () => told.length === 2);
  expect([told, changes]).toEqual([['incident 4711', undefined], 3]);
  await gate.close();
});

test('a directory in place of the file stays when it is turned off, and goes when that is lifted, if it is empty', () => {
  mkdirSync(offPath(dir));
  turnOff(dir, MADE);
  expect([isOff(dir), readdirSync(dir)]).toEqual([true, ['off']]);
  expect(turnOn(dir)).toMatchObject({ reason: null });
  expect(isOff(dir)).toBe(false);
  mkdirSync(offPath(dir));
  writeFileSync(join(offPath(dir), 'x'), '');
  expect(() => turnOn(dir)).toThrow(/ENOTEMPTY/);
  expect(isOff(dir)).toBe(true);
});

test('a file that is damaged turns tuning off without a reason', () => {
  writeFileSync(offPath(dir), Buffer.from([0xff, 0xfe, 0x1b, 0x41, 0x00]));
  expect(readOff(dir)).toMatchObject({ reason: null, since: expect.stringMatching(/^20/) });
});
