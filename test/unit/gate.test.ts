import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { createGate } from '../../src/gate/createGate.ts';
import type { Gate } from '../../src/gate/gate.ts';
import { observeOnlyGate } from '../../src/gate/staticGate.ts';
import { until } from '../support/program.ts';

const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };
let dir: string;
let file: string;
const open: Gate[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-gate-'));
  file = join(dir, 'flags.json');
});
afterEach(async () => {
  for (const gate of open.splice(0)) await gate.close();
  rmSync(dir, { recursive: true });
});

function flags(variants: Record<string, unknown>, defaultVariant: string, more: object = {}): void {
  const flag = { state: 'ENABLED', variants, defaultVariant, ...more };
  const text = JSON.stringify({ flags: { 'taut.optimize-timer-slack': flag } });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function gate(cliValue?: bigint, problems: string[] = []): Promise<Gate> {
  const options = {
    flagsFile: file,
    onProblem: (p: string) => problems.push(p),
    targets: new Map(cliValue === undefined ? [] : [[timerSlack.id, cliValue]]),
  };
  const made = await createGate(options);
  open.push(made);
  return made;
}

test('without a word of the operator it is closed, with it open to 1 ns or what the rule says', async () => {
  const closed = await createGate({ onProblem: () => {} });
  expect((await closed.decide(question)).value).toBeNull();
  const opened = await createGate({ targets: new Map([[timerSlack.id, 1n]]), onProblem: () => {} });
  expect((await opened.decide(question)).value).toBe(1n);
  expect((await opened.decide({ ...question, ruleTarget: 500n })).value).toBe(500n);
  expect((await opened.decide({ ...question, ruleTarget: 'off' })).value).toBeNull();
});

test.each([
  [{ on: true, off: false }, 'on', 1n],
  [{ on: true, off: false }, 'off', null],
  [{ fine: 250, off: 0 }, 'fine', 250n],
  [{ fine: '10us', off: 'off' }, 'fine', 10_000n],
  [{ fine: '10us', off: 'off' }, 'off', null],
  [{ absurd: '10 parsecs' }, 'absurd', null],
  [{ absurd: -1 }, 'absurd', null],
  [{ absurd: { a: 1 } }, 'absurd', null],
] as const)('a flag of %j at %s gives %s', async (variants, variant, value) => {
  flags(variants, variant);
  const decision = await (await gate()).decide(question);
  expect(decision.value).toBe(value);
  expect(decision.reason).toContain('taut.optimize-timer-slack');
  expect(decision.flag).toMatchObject({ key: 'taut.optimize-timer-slack', provider: 'flagd-file' });
});

test('a flag that is disabled or missing never opens the gate, also with a value on the command line', async () => {
  flags({ on: true }, 'on', { state: 'DISABLED' });
  expect((await (await gate(1n)).decide(question)).value).toBeNull();
  writeFileSync(file, '{"flags": {}}');
  expect((await (await gate(1n)).decide(question)).value).toBeNull();
});

test('who decided is said: who asked for nothing, an option, a rule, a flag, or what comes before them all', async () => {
  flags({ on: true, off: false }, 'on');
  const asked = new Map([[timerSlack.id, 1n]]);
  const option = await createGate({ targets: asked, onProblem: () => {} });
  const off = { ...question, ruleTarget: 'off' as const };
  const layers = [
    await (await createGate({ onProblem: () => {} })).decide(question),
    await option.decide(question),
    await option.decide({ ...question, ruleTarget: 500n }),
    await option.decide(off),
    await (await gate(1n)).decide(question),
    await (await gate(1n)).decide(off),
    await (await createGate({ onProblem: () => {} })).decide(off),
    await observeOnlyGate().decide(question),
  ].map(({ layer }) => layer);
  expect(layers).toEqual(['off', 'option', 'option', 'rule', 'flag', 'rule', 'rule', 'never']);
  flags({ on: true, off: false }, 'off');
  for (const text of [readFileSync(file, 'utf8'), '{"flags": {}}']) {
    writeFileSync(file, text);
    expect(await (await gate(1n)).decide(question)).toMatchObject({ layer: 'flag', value: null });
    expect(await (await gate(1n)).decide(off), 'the rule is first, whatever the flag says').toMatchObject({
      layer: 'rule',
    });
  }
});

test('targeting sees the agent', async () => {
  flags({ on: true, off: false }, 'off', {
    targeting: { if: [{ '==': [{ var: 'agent' }, 'claude-code'] }, 'on', 'off'] },
  });
  const targeted = await gate(5_000n);
  expect((await targeted.decide(question)).value).toBe(5_000n);
  expect((await targeted.decide({ ...question, name: 'codex' })).value).toBeNull();
});

test('a changed file is read again; while it is broken or gone an agent keeps what it has, and a new one is left alone', async () => {
  flags({ on: true, off: false }, 'off');
  const problems: string[] = [];
  const watched = await gate(undefined, problems);
  const change = () =>
    new Promise<void>((resolve) => {
      const end = watched.onChange(() => {
        end();
        resolve();
      });
    });
  let changed = change();
  flags({ on: true, off: false }, 'on');
  await changed;
  const last = await watched.decide(question);
  expect(last.value).toBe(1n);
  writeFileSync(file, '{"flags": {');
  await until('it is said', () => problems.length === 1);
  expect([problems[0]?.includes(file), watched.provider?.state]).toEqual([true, 'STALE']);
  expect((await watched.decide({ ...question, last })).value).toBe(1n);
  expect((await watched.decide(question)).value).toBeNull();
  rmSync(file);
  await until('it is said', () => problems.length === 2);
  expect((await watched.decide({ ...question, last })).value).toBe(1n);
  changed = change();
  flags({ on: true, off: false }, 'off');
  await changed;
  expect(await watched.decide({ ...question, last })).toMatchObject({ value: null, flag: { variant: 'off' } });
  expect(watched.provider?.state).toBe('READY');
  expect(problems).toEqual([
    expect.stringMatching(/no JSON.*agents keep for a time what was decided last, and no other is tuned$/),
    expect.stringMatching(/can't be read: ENOENT.*agents keep for a time/),
    `the flag file ${file} can be read again`,
  ]);
});

test('what was last known of a flag file that is gone ends after its time, and all are asked about again then', async () => {
  flags({ on: true, off: false }, 'on');
  const gate = await createGate({ flagsFile: file, lastKnownMs: 50, onProblem: () => {} });
  open.push(gate);
  const last = await gate.decide(question);
  let changes = 0;
  gate.onChange(() => changes++);
  rmSync(file);
  await until('it is heard', () => changes === 1);
  const kept = await gate.decide({ ...question, last });
  expect([kept.value, kept.reason]).toEqual([1n, `${last.reason}, as was last known (GENERAL)`]);
  await until('all are asked about again', () => changes === 2);
  expect((await gate.decide({ ...question, last: kept })).value).toBeNull();
});

test('a value that is none keeps what was decided last, and a file without the flag is off', async () => {
  flags({ on: true, absurd: '10 parsecs' }, 'on');
  const watched = await gate();
  const last = await watched.decide(question);
  let changes = 0;
  watched.onChange(() => changes++);
  flags({ on: true, absurd: '10 parsecs' }, 'absurd');
  await until('it is heard', () => changes === 1);
  expect((await watched.decide({ ...question, last })).value).toBe(1n);
  expect((await watched.decide(question)).value).toBeNull();
  writeFileSync(file, '{"flags": {}}');
  await until('it is heard', () => changes === 2);
  expect((await watched.decide({ ...question, last })).value).toBeNull();
});

test('a change of the file that says the same about an agent is no new decision on it', async () => {
  flags({ on: true, off: false }, 'on');
  const watched = await gate();
  const last = await watched.decide(question);
  flags({ on: true, off: false }, 'on', { metadata: { team: 'a' } });
  expect(await watched.decide({ ...question, last })).toBe(last);
});

test('a flag file that is missing or broken at the start stops it, naming the file', async () => {
  await expect(gate()).rejects.toThrow(file);
  writeFileSync(file, 'flags: yes');
  await expect(gate()).rejects.toThrow(file);
});
