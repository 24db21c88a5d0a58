/** What a flag may say, of whom it may say it, and by what a percentage is drawn: with the flag file that taut reads. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { contextOf } from '../../src/gate/context.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { flagFindings } from '../../src/gate/flagFindings.ts';
import type { FlagOptions } from '../../src/gate/flagGate.ts';
import { flagObject } from '../../src/gate/flagObject.ts';
import type { About, Gate, GateQuestion } from '../../src/gate/gate.ts';
import { podUid } from '../../src/proc/origin.ts';
import { until } from '../support/program.ts';

const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };
const HOST = { name: 'host-a', id: 'a'.repeat(32) };
const open: Gate[] = [];
let file: string;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-values-'));
  file = join(dir, 'flags.json');
});
afterEach(async () => {
  vi.useRealTimers();
  for (const gate of open.splice(0)) await gate.close();
  rmSync(dir, { recursive: true });
});

function write(variants: Record<string, unknown>, targeting?: object, key = 'taut.optimize-timer-slack'): void {
  const flag = {
    state: 'ENABLED',
    variants,
    defaultVariant: Object.keys(variants)[0],
    ...(targeting && { targeting }),
  };
  writeFileSync(file, JSON.stringify({ flags: { [key]: flag } }));
}

async function gateOf(naming: FlagOptions = {}, problems: string[] = []): Promise<Gate> {
  const onProblem = (problem: string) => problems.push(problem);
  const gate = await createGate({ flagsFile: file, naming: { host: HOST, ...naming }, knobs: [timerSlack], onProblem });
  open.push(gate);
  return gate;
}

const ask = (pid: number, about: About = {}): GateQuestion => ({ ...question, pid, about: () => about });

test.each([
  [{ value: true }, 1n, undefined],
  [{ value: '10us', descendants: 'inherit' }, 10_000n, 'inherit'],
  [{ value: 250, until: '2999-01-01T00:00:00Z' }, 250n, undefined],
  [{ value: false }, null, undefined],
  [{ value: true, until: '2020-01-01T00:00:00+02:00' }, null, undefined],
] as const)('a flag of %j gives %s', async (value, target, descendants) => {
  write({ on: value });
  const decision = await (await gateOf()).decide(question);
  expect([decision.value, decision.descendants]).toEqual([target, descendants]);
  expect(decision.reason).toContain(JSON.stringify(value));
});

test.each([
  [
    { cpu: '10%', wakeupLatency: 'off' },
    { cpu: 0.1, wakeupLatency: 'off' },
  ],
  ['off', 'off'],
  [false, 'off'],
  [{}, {}],
])('a flag lets the guardrail allow %j for the agents that it tunes', async (guardrail, meant) => {
  write({ on: { value: true, guardrail }, off: { value: false, guardrail } });
  const gate = await gateOf();
  const last = await gate.decide(question);
  expect([last.value, last.guardrail]).toEqual([1n, meant]);
  write({ on: { value: true, guardrail: { cpu: '99%' } } });
  await until('another limit is another decision', async () => {
    const next = await gate.decide({ ...question, last });
    return next !== last && next.value === 1n;
  });
});

test.each<readonly [object, string]>([
  [{ value: true, untill: 'x' }, 'unknown member "untill"; did you mean "until"?'],
  [{ value: true, ns: 1 }, 'unknown member "ns"; there are value, descendants, until'],
  [{ until: '2030-01-31T18:00:00Z' }, 'value: is missing'],
  [{ value: [] }, 'value: true, false, a number'],
  [{ value: true, guardrail: { cpu: '10' } }, 'guardrail: cpu: limits like {"cpu": "10%"}'],
  [{ value: true, guardrail: { cpu: '20000%' } }, 'guardrail: cpu: limits like'],
  [{ value: true, guardrail: { cpus: '10%' } }, 'guardrail: unknown member "cpus"; did you mean "cpu"?'],
  [{ value: true, guardrail: { interrupts: '10%' } }, 'guardrail: unknown member "interrupts"; there are'],
  [{ value: true, guardrail: 'on' }, 'guardrail: limits like {"cpu": "10%"}'],
  [{ value: true, guardrail: null }, 'guardrail: limits like'],
  [{ value: true, descendants: 'all' }, 'descendants: "all" is none of contain, inherit, tune'],
  ...[
    'tomorrow',
    '2030-01-31',
    '2030-02-30T00:00:00Z',
    '2030-01-31T18:00:00',
    1_900_000_000,
    '2030-13-01T00:00:00Z',
  ].map((time) => [{ value: true, until: time }, `until: ${JSON.stringify(time)} is no time`] as const),
])('%j can not be followed, and why is said', (value, said) => {
  expect(() => flagObject(value)).toThrow(said);
});

test('a file with such a value stops the start; later, agents keep what was decided last, and new ones are left alone', async () => {
  write({ on: { value: true } });
  const problems: string[] = [];
  const gate = await gateOf({}, problems);
  const last = await gate.decide(question);
  write({ on: { value: true, until: 'soon' } });
  await until('it is said', () => problems.length > 0);
  expect(problems).toEqual([
    expect.stringMatching(
      /flags\.json:1:\d+: variants: on: until: "soon" is no time.*agents keep for a time what was decided last/,
    ),
  ]);
  expect((await gate.decide({ ...question, last })).value).toBe(1n);
  expect((await gate.decide(question)).value).toBeNull();
  await expect(gateOf()).rejects.toThrow('until: "soon" is no time');
});

test('a service with such a value is not followed: agents keep what was decided last, new ones are left alone, and it is said once', async () => {
  const problems: string[] = [];
  let value: unknown = { value: '10us' };
  const wrong = async () => ({ value: false, errorCode: 'TYPE_MISMATCH' });
  const provider = {
    metadata: { name: 'service' },
    ...{ resolveBooleanEvaluation: wrong, resolveStringEvaluation: wrong, resolveNumberEvaluation: wrong },
    resolveObjectEvaluation: async () => ({ value }),
  };
  const service = { pollMs: 60_000, lastKnownMs: 60_000 };
  const onProblem = (problem: string) => problems.push(problem);
  const gate = await createGate({ provider: provider as never, service, onProblem });
  open.push(gate);
  const last = await gate.decide(question);
  expect(last.value).toBe(10_000n);
  value = { value: '10us', untill: 'x' };
  const kept = await gate.decide({ ...question, last });
  expect([kept.value, kept.reason]).toEqual([
    10_000n,
    expect.stringMatching(/as was last known \(.*unknown member "untill"/),
  ]);
  expect((await gate.decide(question)).value).toBeNull();
  expect(problems).toEqual([
    expect.stringMatching(/answers what is no value \(.*unknown member "untill".*agents keep for a time/),
  ]);
});

test('a provider whose flags are all text has an object as JSON', async () => {
  const parse = async () => ({ value: false, errorCode: 'PARSE_ERROR' });
  const provider = {
    metadata: { name: 'env' },
    resolveBooleanEvaluation: parse,
    resolveStringEvaluation: async () => ({ value: '{"value": "5us", "descendants": "tune"}' }),
  };
  const gate = await createGate({ provider: provider as never, onProblem: () => {} });
  open.push(gate);
  expect(await gate.decide(question)).toMatchObject({ value: 5_000n, descendants: 'tune' });
});

test('a flag ends at its time by itself, and is over for a taut that starts later', async () => {
  vi.useFakeTimers({ now: new Date('2030-01-01T00:00:00Z'), toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  write({ on: { value: true, until: '2030-01-01T02:00:00+01:00' } });
  const gate = await gateOf();
  let told = 0;
  gate.onChange(() => told++);
  expect(await gate.decide(question)).toMatchObject({ value: 1n, until: '2030-01-01T02:00:00+01:00' });
  await vi.advanceTimersByTimeAsync(3_599_000);
  expect([told, (await gate.decide(question)).value]).toEqual([0, 1n]);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(told).toBe(1);
  expect(await gate.decide(question)).toMatchObject({
    value: null,
    reason: expect.stringContaining('its time is over'),
  });
  expect((await (await gateOf()).decide(question)).value).toBeNull();
});

test('other keys: a prefix of the team', async () => {
  write({ on: true }, undefined, 'agents/optimize-timer-slack');
  expect((await (await gateOf({ prefix: 'agents/' })).decide(question)).value).toBe(1n);
  const problems: string[] = [];
  expect((await (await gateOf({}, problems)).decide(question)).value).toBeNull();
  expect(problems.join()).toContain('did you mean "taut.optimize-timer-slack"?');
});

test('targeting sees all that is known of the agent, and nothing of what is not', async () => {
  const about = {
    ...{ executable: 'node', container: 'c0', podUid: 'p0', user: 'ann' },
    ...{ created: '2030-01-01T00:00:00.000Z', startTicks: 7 },
  };
  const all = contextOf(ask(42, about), HOST, 'process');
  expect(all).toEqual({
    ...{ agent: 'claude-code', rule: 'r', executable: 'node', container: 'c0', podUid: 'p0', user: 'ann', pid: 42 },
    ...{ created: about.created, host: 'host-a', hostId: HOST.id, targetingKey: `${HOST.id}/42/7` },
  });
  expect(contextOf(question, { name: 'h', id: undefined }, 'process')).toEqual({
    ...{ targetingKey: 'h/42', agent: 'claude-code', rule: 'r', pid: 42, host: 'h' },
  });
  for (const [variable, value] of Object.entries(all)) {
    write({ off: false, on: true }, { if: [{ '==': [{ var: variable }, value] }, 'on'] });
    const problems: string[] = [];
    const gate = await gateOf({}, problems);
    expect([(await gate.decide(ask(42, about))).value, problems], variable).toEqual([1n, []]);
  }
});

/** A quarter, by whatever the targeting key is. */
const QUARTER = { fractional: [{ var: 'targetingKey' }, ['on', 25], ['off', 75]] };

async function quarter(targetingKey: FlagOptions['targetingKey'], questions: readonly GateQuestion[]) {
  const gate = await gateOf(targetingKey ? { targetingKey } : {});
  const decided = await Promise.all(questions.map((one) => gate.decide(one)));
  return decided.map(({ value }) => value !== null);
}

test('25% are the same quarter after a restart', async () => {
  write({ off: false, on: true }, QUARTER);
  const questions = Array.from({ length: 2_000 }, (_, i) => ask(1_000 + i, { startTicks: 77 * i }));
  const before = await quarter('process', questions);
  // Deterministic: flagd's hash of the same keys on the same made-up host.
  const share = before.filter(Boolean).length / before.length;
  expect(share).toBeGreaterThan(0.22);
  expect(share).toBeLessThan(0.28);
  expect(await quarter('process', questions), 'taut was started again').toEqual(before);
  expect(await quarter(undefined, questions), 'it is what is drawn by unless another is chosen').toEqual(before);
  const renewed = questions.map(({ pid }) => ask(pid, { startTicks: pid * 1_000 }));
  expect(await quarter('process', renewed), 'other processes of the same ids').not.toEqual(before);
});

test('drawn by host, agent or user, the quarter is the same for all of them, whatever their processes', async () => {
  write({ off: false, on: true }, QUARTER);
  const ask3 = (name: string, user: string, from: number) =>
    Array.from({ length: 50 }, (_, i) => ({ ...ask(from + i, { startTicks: from + i, user }), name }));
  const kinds = (of: readonly boolean[]) => [...new Set(of)].length;
  for (const by of ['host', 'agent', 'user'] as const) {
    const [before, after] = [await quarter(by, ask3('codex', 'ann', 1)), await quarter(by, ask3('codex', 'ann', 900))];
    expect([kinds(before), before], by).toEqual([1, after]);
  }
  const names = Array.from({ length: 400 }, (_, i) => `agent-${i}`);
  const byAgent = await quarter(
    'agent',
    names.map((name) => ({ ...question, name })),
  );
  const byUser = await quarter(
    'user',
    names.map((user) => ask(1, { user })),
  );
  for (const drawn of [byAgent, byUser]) expect(drawn.filter(Boolean).length).toBeGreaterThan(60);
  for (const drawn of [byAgent, byUser]) expect(drawn.filter(Boolean).length).toBeLessThan(140);
});

test('the five lines of the README write a flag file for each share', async () => {
  for (const name of ['README.md', 'docs/flags.md']) {
    const [line = ''] = /^share\(\) .*$/m.exec(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) ?? [];
    const knob = { ...timerSlack, profile: 'responsive' as const };
    const questions = Array.from({ length: 500 }, (_, i) => ({ ...ask(i), knob }));
    let before = questions.map(() => false);
    for (const percent of [1, 10, 50, 100]) {
      execFileSync('sh', ['-c', `${line}\nshare ${percent}`], { cwd: dir });
      expect(flagFindings(readFileSync(file, 'utf8'), file, KNOBS)).toEqual({ broken: [], mistakes: [], warnings: [] });
      const on = await quarter('process', questions);
      expect(Math.abs(on.filter(Boolean).length / 5 - percent)).toBeLessThan(6);
      expect(
        before.every((was, i) => !was || on[i]),
        'who is in stays in',
      ).toBe(true);
      before = on;
    }
  }
});

test.each([
  ['/kubepods/burstable/pod0d0a7c1e-4f1c-4f8e-9a53-0b1c2d3e4f50/cri', '0d0a7c1e-4f1c-4f8e-9a53-0b1c2d3e4f50'],
  [
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d0a7c1e_4f1c_4f8e_9a53_0b1c2d3e4f50.slice/cri-containerd-ab.scope',
    '0d0a7c1e-4f1c-4f8e-9a53-0b1c2d3e4f50',
  ],
  [`/kubepods/pod${'a1'.repeat(16)}/x`, 'a1'.repeat(16)],
  ['/user.slice/pod0d0a7c1e-4f1c-4f8e-9a53-0b1c2d3e4f50.slice', undefined],
  ['/', undefined],
])('the pod of %s is %s', (path, uid) => {
  expect(podUid([path])).toBe(uid);
});
