/** A flag service that is down, slow or silent: who is tuned stays so for a time, and nobody else is tuned. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  type EvaluationContext,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { schedSlice } from '../../src/actuator/schedSlice.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { flagKey, type Gate } from '../../src/gate/gate.ts';
import { loadProvider } from '../../src/gate/loadProvider.ts';
import { until } from '../support/program.ts';

const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };
const open: Gate[] = [];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-provider-'));
});
afterEach(async () => {
  for (const gate of open.splice(0)) await gate.close();
  rmSync(dir, { recursive: true });
});

/** Answers as a test says. */
class Service {
  readonly metadata = { name: 'service' };
  answer: () => Promise<boolean> = async () => true;
  initialize?: () => Promise<void>;
  events?: OpenFeatureEventEmitter;

  async resolveBooleanEvaluation() {
    return { value: await this.answer() };
  }
}

async function gateOf(service: Service, { problems = [] as string[], pollMs = 60_000, lastKnownMs = 60_000 } = {}) {
  const onProblem = (problem: string) => problems.push(problem);
  const provider = service as unknown as Provider;
  const gate = await createGate({ provider, service: { pollMs, lastKnownMs }, onProblem });
  open.push(gate);
  return gate;
}

const down = async () => {
  throw new Error('connection refused');
};

test('while there is no answer an agent keeps what was decided last, and a new one is left alone; both is said once', async () => {
  const service = new Service();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  const last = await gate.decide(question);
  expect(last.value).toBe(1n);
  service.answer = down;
  const kept = await gate.decide({ ...question, last });
  expect([kept.value, kept.reason]).toEqual([1n, `${last.reason}, as was last known (GENERAL)`]);
  expect(await gate.decide({ ...question, last: kept }), 'it is the same decision still').toBe(kept);
  expect(await gate.decide(question)).toMatchObject({
    value: null,
    reason: expect.stringMatching(/connection refused/),
  });
  service.answer = async () => false;
  expect((await gate.decide({ ...question, last: kept })).value).toBeNull();
  expect(problems).toEqual([
    'the flag provider service does not answer (flag taut.optimize-timer-slack: connection refused): agents keep for a time what was decided last, and no other is tuned',
    'the flag provider service answers again',
  ]);
});

test('that a service has no flag of a setting is an answer: each outage is told of, and each end of one', async () => {
  const service = new Service();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  const missing = { value: false, errorCode: 'FLAG_NOT_FOUND' };
  const both = () => Promise.all([timerSlack, schedSlice].map((knob) => gate.decide({ ...question, knob })));
  const all = async (key: string) => (key === flagKey(timerSlack) ? { value: true } : missing);
  for (const _ of [1, 2]) {
    Object.assign(service, { resolveBooleanEvaluation: down });
    await both();
    Object.assign(service, { resolveBooleanEvaluation: all });
    await both();
  }
  const [away, again] = [/ does not answer /, / answers again$/].map((one) => expect.stringMatching(one));
  expect(problems).toEqual([away, again, away, again]);
});

test('what was last known ends after its time, and all are asked about again then', async () => {
  const service = new Service();
  const gate = await gateOf(service, { lastKnownMs: 20 });
  const last = await gate.decide(question);
  service.answer = down;
  let asked = 0;
  gate.onChange(() => asked++);
  const kept = await gate.decide({ ...question, last });
  expect(kept.value).toBe(1n);
  await until('it is over', async () => (await gate.decide({ ...question, last: kept })).value === null);
  await until('all are asked about again', () => asked > 0);
});

test('a provider that answers never is no answer, and keeps nobody waiting for ever', async () => {
  const service = new Service();
  service.answer = () => new Promise(() => {});
  const gate = await gateOf(service);
  expect(await gate.decide(question)).toMatchObject({ value: null, failure: 'no answer in 2 s' });
});

test('a provider that is not ready shuts the gate, which opens when it is', async () => {
  const service = new Service();
  const ready = Promise.withResolvers<void>();
  service.initialize = () => ready.promise;
  service.events = new OpenFeatureEventEmitter();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  expect([(await gate.decide(question)).value, gate.provider]).toEqual([null, { name: 'service', state: 'NOT_READY' }]);
  expect(problems).toEqual([expect.stringMatching(/does not answer \(it is not ready\)/)]);
  let changes = 0;
  gate.onChange(() => changes++);
  ready.resolve();
  await until('it is heard', () => changes > 0);
  expect([(await gate.decide(question)).value, gate.provider?.state]).toEqual([1n, 'READY']);
});

test('a provider without events that can not start is told of, and asked nevertheless: it is ready when it answers', async () => {
  const service = new Service();
  service.initialize = down;
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  expect([gate.provider?.state, problems]).toEqual(['ERROR', [expect.stringMatching(/connection refused/)]]);
  expect([(await gate.decide(question)).value, gate.provider?.state]).toEqual([1n, 'READY']);
  service.answer = down;
  expect([(await gate.decide(question)).value, gate.provider?.state]).toEqual([null, 'ERROR']);
});

test('what a provider says while its service is away keeps an agent as it is, and is no answer about a new one', async () => {
  const service = new Service();
  service.events = new OpenFeatureEventEmitter();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  const last = await gate.decide(question);
  service.events.emit(ProviderEvents.Stale);
  await until('it is stale', () => gate.provider?.state === 'STALE');
  const kept = await gate.decide({ ...question, last });
  expect([kept.value, kept.reason]).toEqual([1n, `${last.reason}, as was last known (STALE)`]);
  expect(await gate.decide(question)).toMatchObject({
    value: null,
    reason: expect.stringMatching(/it is in state STALE/),
  });
  service.events.emit(ProviderEvents.Ready);
  await until('it is ready', () => gate.provider?.state === 'READY');
  expect((await gate.decide(question)).value).toBe(1n);
  expect(problems).toEqual([
    expect.stringMatching(/does not answer \(STALE\)/),
    expect.stringMatching(/answers again/),
  ]);
});

test('flags of which one is no value are told of once, not again with each answer about another', async () => {
  const service = new Service();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  const other = { ...question, knob: schedSlice };
  Object.assign(service, {
    resolveBooleanEvaluation: async (key: string) =>
      key === flagKey(timerSlack) ? { value: false, errorCode: 'TYPE_MISMATCH' } : { value: true },
    resolveStringEvaluation: async () => ({ value: '10 parsecs' }),
  });
  for (let i = 0; i < 3; i++) for (const one of [question, other]) await gate.decide(one);
  expect(problems).toEqual([
    expect.stringMatching(/answers what is no value \(flag taut.optimize-timer-slack is "10 parsecs": /),
  ]);
});

test('that flags fail for one agent is told of once, not again with each answer about another', async () => {
  const service = new Service();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  const answers = (fails: (pid: unknown) => boolean) =>
    Object.assign(service, {
      resolveBooleanEvaluation: async (_: string, value: boolean, { pid }: EvaluationContext) =>
        fails(pid) ? { value, errorCode: 'GENERAL' } : { value: true },
    });
  answers((pid) => pid === 42);
  for (let i = 0; i < 3; i++) for (const pid of [42, 43]) await gate.decide({ ...question, pid });
  expect(problems).toHaveLength(1);
  answers(() => false);
  for (const pid of [43, 42]) await gate.decide({ ...question, pid });
  expect(problems).toEqual([expect.stringMatching(/does not answer/), 'the flag provider service answers again']);
});

test('a provider that says that there is no flag while it has no service gives no answer, and that is told of', async () => {
  const service = new Service();
  service.events = new OpenFeatureEventEmitter();
  const problems: string[] = [];
  const gate = await gateOf(service, { problems });
  Object.assign(service, {
    resolveBooleanEvaluation: async (_: string, value: boolean) => ({ value, errorCode: 'FLAG_NOT_FOUND' }),
  });
  await gate.decide(question);
  expect(problems, 'a flag that is missing is told of by nobody').toEqual([]);
  service.events.emit(ProviderEvents.Stale);
  await until('it is stale', () => gate.provider?.state === 'STALE');
  for (let i = 0; i < 3; i++) await gate.decide(question);
  expect(problems).toEqual([expect.stringMatching(/does not answer \(its provider is in state STALE\)/)]);
});

test('a service is asked a bounded number of questions at a time, about new agents first, and not again before it has answered', async () => {
  const service = new Service();
  const waiting: { readonly pid: unknown; readonly answer: () => void }[] = [];
  Object.assign(service, {
    resolveBooleanEvaluation: (_: string, __: boolean, { pid }: EvaluationContext) =>
      new Promise((done) => waiting.push({ pid, answer: () => done({ value: true }) })),
  });
  const gate = await gateOf(service, { pollMs: 1 });
  let polls = 0;
  gate.onChange(() => polls++);
  const last = { value: null, reason: 'was off' };
  const asked = [...Array(40).keys()].map((pid) => gate.decide({ ...question, pid, ...(pid === 39 ? {} : { last }) }));
  await until('it is asked', () => waiting.length === 16);
  await setTimeout(20);
  expect([waiting.length, polls]).toEqual([16, 0]);
  waiting.shift()?.answer();
  await until('one more is asked', () => waiting.length === 16);
  expect(waiting.at(-1)?.pid, 'the new one').toBe(39);
  const end = setInterval(() => waiting.shift()?.answer(), 1);
  await Promise.all(asked);
  clearInterval(end);
  await until('it is asked again', () => polls > 0);
});

test('a provider without events is asked again and again, one with events is not', async () => {
  let polled = 0;
  let told = 0;
  const other = new Service();
  other.events = new OpenFeatureEventEmitter();
  (await gateOf(other, { pollMs: 1 })).onChange(() => told++);
  (await gateOf(new Service(), { pollMs: 1 })).onChange(() => polled++);
  await until('it is asked again', () => polled > 3);
  expect(told).toBe(0);
  other.events.emit(ProviderEvents.ConfigurationChanged);
  await until('it is heard', () => told === 1);
});

const CLASS =
  'class P { constructor(o) { this.metadata = { name: o?.name ?? "made" }; } resolveBooleanEvaluation() {} }';

test.each([
  ['a.mjs', `${CLASS}; export default P;`, 'given'],
  ['b.mjs', `${CLASS}; export const make = 7; export const provider = (o) => new P(o);`, 'given'],
  ['c.mjs', `export ${CLASS.replaceAll('class P', 'class MyProvider')}; export const other = 1;`, 'given'],
  ['d.cjs', `${CLASS}; module.exports = { MyProvider: P };`, 'given'],
  ['e.cjs', `${CLASS}; module.exports = P;`, 'given'],
  ['f.mjs', `${CLASS}; export default new P();`, undefined],
  ['g.mjs', `${CLASS}; export default async () => new P();`, undefined],
  ['h.mjs', `${CLASS}; export default Promise.resolve(new P());`, undefined],
  ['i.mjs', `${CLASS}; export const provider = Promise.resolve(P);`, 'given'],
])('a module %s gives a provider: %s', async (name, text, given) => {
  writeFileSync(join(dir, name), text);
  const options = given === undefined ? {} : { options: { name: given } };
  const provider = await loadProvider({ module: `./${name}`, from: dir, ...options });
  expect(provider.metadata.name).toBe(given ?? 'made');
});

test('a package is found where it is installed, below the directory that is named', async () => {
  const home = join(dir, 'node_modules/@team/flags');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "main": "index.cjs" }');
  writeFileSync(join(home, 'index.cjs'), `${CLASS}; exports.provider = P;`);
  expect((await loadProvider({ module: '@team/flags', from: dir })).metadata.name).toBe('made');
});

test('a package for import alone is found, whatever the name of the condition', async () => {
  for (const [name, exports] of Object.entries({
    one: '{ "import": "./index.mjs" }',
    two: '{ ".": { "node": { "import": "./index.mjs" } } }',
  })) {
    const home = join(dir, 'node_modules', name);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), `{ "exports": ${exports} }`);
    writeFileSync(join(home, 'index.mjs'), `export default ${CLASS}`);
    expect((await loadProvider({ module: name, from: dir })).metadata.name).toBe('made');
  }
});

test.each([
  ['export default () => new Promise(() => {});'],
  ['await new Promise(() => {});'],
  ['export default new Promise(() => {});'],
])('a module that waits without end is refused: %s', async (text) => {
  const path = join(dir, `waits${text.length}.mjs`);
  writeFileSync(path, text);
  await expect(loadProvider({ module: path, from: dir, withinMs: 10 })).rejects.toThrow(/is not there after 0.01 s/);
});

test.each([
  ['none.mjs', 'export const a = 1;', /has no flag provider: it is its default export/],
  ['two.mjs', `export ${CLASS.replace('P', 'AProvider')}; export class BProvider {}`, /has no flag provider/],
  ['wrong.mjs', 'export default () => 7;', /has no flag provider/],
  ['throws.mjs', 'export default () => { throw new Error("no key"); };', /can't be made: no key/],
  ['rejects.mjs', 'export default Promise.reject(null);', /can't be made: it threw what is no error/],
  ['odd.mjs', 'throw undefined;', /can't be loaded: it threw what is no error/],
  ['broken.mjs', 'export default', /can't be loaded: /],
])('a module %s that has none is refused, and why is said', async (name, text, why) => {
  writeFileSync(join(dir, name), text);
  await expect(loadProvider({ module: `./${name}`, from: dir })).rejects.toThrow(why);
});

test('a module that is not there, that others can write, or that takes no options is refused', async () => {
  await expect(loadProvider({ module: 'no-such-package', from: dir })).rejects.toThrow(
    /there is no flag provider no-such/,
  );
  const path = join(dir, 'mine.mjs');
  writeFileSync(path, `${CLASS}; export default new P();`);
  await expect(loadProvider({ module: path, options: {}, from: dirname(dir) })).rejects.toThrow(/takes no options/);
  chmodSync(path, 0o666);
  await expect(loadProvider({ module: path, from: dir })).rejects.toThrow(/other users can write to/);
});
