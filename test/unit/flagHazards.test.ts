/** Flag files and providers at their worst: nobody is tuned by mistake, who is tuned stays so for a time, and it is said once. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { OpenFeatureEventEmitter, type Provider, ProviderEvents } from '@openfeature/server-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { createGate } from '../../src/gate/createGate.ts';
import type { Gate } from '../../src/gate/gate.ts';
import { loadProvider } from '../../src/gate/loadProvider.ts';
import { until } from '../support/program.ts';

const KEY = 'taut.optimize-timer-slack';
const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };
const open: Gate[] = [];
let dir: string;
let file: string;
let problems: string[];
const onProblem = (problem: string) => problems.push(problem);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-hazards-'));
  file = join(dir, 'flags.json');
  problems = [];
});
afterEach(async () => {
  for (const gate of open.splice(0)) await gate.close();
  rmSync(dir, { recursive: true });
});

const flags = (variant: string) =>
  JSON.stringify({
    flags: { [KEY]: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: variant } },
  });

async function fileGate(): Promise<Gate> {
  const gate = await createGate({ flagsFile: file, knobs: [timerSlack], onProblem });
  open.push(gate);
  return gate;
}

const sparse = (bytes: number) => (path: string) => {
  writeFileSync(path, '');
  truncateSync(path, bytes);
};

/** What stands in the file's place, and what is said of it. */
const REPLACED: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  ['directory', mkdirSync, /flags\.json is not a file/],
  ['pipe to which nobody writes', (path) => void execFileSync('mkfifo', [path]), /flags\.json is not a file/],
  ['device', (path) => symlinkSync('/dev/zero', path), /flags\.json is not a file/],
  ['link to itself', (path) => symlinkSync(path, path), /ELOOP/],
  ['link to nothing', (path) => symlinkSync('nowhere', path), /ENOENT/],
  ['gigabyte', sparse(2 ** 30), /flags\.json is larger than 4 MiB/],
  ['empty file', (path) => writeFileSync(path, ''), /the file is empty/],
  ['zeros', sparse(4_096), /this is no JSON/],
  ['byte order mark', (path) => writeFileSync(path, `\uFEFF${flags('off')}`), /begins with a byte order mark/],
  ['UTF-16', (path) => writeFileSync(path, Buffer.from(flags('off'), 'utf16le')), /this is no JSON/],
  ['list', (path) => writeFileSync(path, '[]'), /a flag file is an object/],
  ['half of a file', (path) => writeFileSync(path, flags('off').slice(0, 40)), /this is no JSON/],
];

test('whatever takes the place of a flag file, by a link that is swapped, keeps things as they are until it is one again', async () => {
  const each = REPLACED.map(async ([what, make, why]) => {
    const home = join(dir, what);
    mkdirSync(home);
    const [file, said] = [join(home, 'flags.json'), [] as string[]];
    const use = (name: string, write: (path: string) => void) => {
      write(join(home, name));
      symlinkSync(join(home, name), `${file}.new`);
      renameSync(`${file}.new`, file);
    };
    use('before', (path) => writeFileSync(path, flags('on')));
    const gate = await createGate({ flagsFile: file, knobs: [timerSlack], onProblem: (line) => said.push(line) });
    open.push(gate);
    const last = await gate.decide(question);
    use('instead', make);
    await until(`${what}: it is said`, () => said.length > 0);
    const now = [await gate.decide({ ...question, last }), await gate.decide(question)];
    expect(
      now.map(({ value }) => value),
      what,
    ).toEqual([1n, null]);
    await setTimeout(600); // it is looked at again meanwhile
    use('after', (path) => writeFileSync(path, flags('off')));
    await until(`${what}: it is read`, () => said.length > 1);
    expect((await gate.decide({ ...question, last })).value, what).toBeNull();
    expect(said).toEqual([expect.stringMatching(why), `the flag file ${file} can be read again`]);
  });
  await Promise.all(each);
});

test.each<readonly [string, (path: string) => void]>([
  ['a pipe', (path) => void execFileSync('mkfifo', [path])],
  ['a gigabyte', sparse(2 ** 30)],
])('%s in place of a flag file stops the start', async (_, make) => {
  make(file);
  await expect(fileGate()).rejects.toThrow(/the flag file can't be read: .*flags\.json/);
});

/** A provider of which a test says the answer. */
function providerOf(answer: () => unknown, more: object = {}): Provider {
  const resolve = async () => answer();
  return {
    metadata: { name: 'service' },
    ...{ resolveBooleanEvaluation: resolve, resolveStringEvaluation: resolve },
    ...{ resolveNumberEvaluation: resolve, resolveObjectEvaluation: resolve },
    ...more,
  } as unknown as Provider;
}

async function gateOf(provider: Provider): Promise<Gate> {
  const gate = await createGate({ provider, service: { pollMs: 60_000, lastKnownMs: 60_000 }, onProblem });
  open.push(gate);
  return gate;
}

const raise = (thrown: unknown) => () => {
  throw thrown;
};
const angry = new Proxy(
  {},
  {
    get: raise(new Error('a trap')),
    ownKeys: raise(new Error('a trap')),
    getPrototypeOf: raise(new Error('a trap')),
  },
);
const cyclic: { value: boolean; self?: unknown } = { value: true };
cyclic.self = cyclic;

test.each<readonly [string, () => unknown, RegExp]>([
  ['NaN', () => ({ value: Number.NaN }), /is NaN/],
  ['infinity', () => ({ value: Number.POSITIVE_INFINITY }), /is Infinity/],
  ['a negative number', () => ({ value: -5 }), /is -5/],
  ['a fraction', () => ({ value: 0.5 }), /is 0\.5/],
  ['a huge number', () => ({ value: 1e300 }), /is 1e\+300/],
  ['a huge integer', () => ({ value: 1n }), /of the type bigint/],
  ['a symbol', () => ({ value: Symbol('on') }), /of the type symbol/],
  ['a function', () => ({ value: () => true }), /of the type function/],
  ['nothing', () => ({ value: undefined }), /of the type undefined/],
  ['null', () => ({ value: null }), /is null/],
  ['no resolution', () => undefined, /does not answer .*undefined/],
  ['a list', () => ({ value: [true] }), /is \[true\]/],
  ['a ring', () => ({ value: cyclic }), /no JSON: /],
  ['a proxy that throws', () => ({ value: angry }), /no JSON: a trap/],
  ['a long text', () => ({ value: 'x'.repeat(1e6) }), /has 1000002 characters/],
  ['an error of no error', raise(undefined), /GENERAL/],
  ['an error with a symbol as its code', raise({ code: Symbol('x'), message: 7 }), /GENERAL/],
  ['an error whose code is a text of ours', raise({ code: '\u001b[31m', message: 'no' }), /: no\)/],
  ['an error without words', raise(new (class NotAllowed extends Error {})()), /does not answer \(.*: NotAllowed\)/],
  [
    'an error with a cause',
    raise(new Error('failed', { cause: new Error('fetch', { cause: new Error('no route') }) })),
    /: failed \(no route\)\)/,
  ],
  ['an error that throws', raise(angry), /a trap/],
])('a provider that answers with %s tunes nobody, and keeps who is tuned', async (_, answer, said) => {
  let now: () => unknown = () => ({ value: true });
  const gate = await gateOf(providerOf(() => now()));
  const last = await gate.decide(question);
  expect(last.value).toBe(1n);
  now = answer;
  const [kept, fresh] = [await gate.decide({ ...question, last }), await gate.decide(question)];
  expect([kept.value, fresh.value]).toEqual([1n, null]);
  expect(problems).toEqual([expect.stringMatching(said)]);
  for (const { reason } of [kept, fresh]) expect(reason.length).toBeLessThan(1_000);
  expect(() => JSON.stringify([kept.flag, fresh.flag])).not.toThrow();
  now = () => ({ value: true });
  expect((await gate.decide(question)).value).toBe(1n);
});

test.each<readonly [string, object]>([
  ['a variant that is a symbol', { variant: Symbol('x') }],
  ['a reason that is an object', { reason: { a: 1 } }],
  ['metadata that is a number', { flagMetadata: 7 }],
  ['a variant without end', { variant: 'x'.repeat(1e6) }],
])('%s does not keep a clear value from counting', async (_, more) => {
  const gate = await gateOf(providerOf(() => ({ value: true, ...more })));
  const { value, flag, reason } = await gate.decide(question);
  expect([value, typeof flag?.reason, problems]).toEqual([1n, 'undefined', []]);
  expect(['undefined', 'string']).toContain(typeof flag?.variant);
  expect(reason.length).toBeLessThan(1_000);
});

test('0 is off, as the check of a flag file says it, for a setting and for a profile', async () => {
  const gate = await gateOf(providerOf(() => ({ value: 0 })));
  expect(await gate.decide(question)).toMatchObject({ layer: 'flag', value: null });
  expect((await gate.decide(question)).failure).toBeUndefined();
  const keyed = (key: string) => (key === 'taut.optimize' ? { value: 0 } : { value: 0, errorCode: 'FLAG_NOT_FOUND' });
  const resolve = async (key: string) => keyed(key);
  const profile = await gateOf(providerOf(() => undefined, { resolveBooleanEvaluation: resolve }));
  expect((await profile.decide(question)).failure).toBeUndefined();
});

test('a flag that is of another type each time is understood each time', async () => {
  let n = 0;
  const values = [true, '10us', 250, { value: '20us' }, 'off', { value: false }, 300, true];
  const resolve = (type: string) => async () => {
    const value = values[n];
    return typeof value === type ? { value } : { value: false, errorCode: 'TYPE_MISMATCH' };
  };
  const gate = await gateOf(
    providerOf(() => undefined, {
      ...{ resolveBooleanEvaluation: resolve('boolean'), resolveStringEvaluation: resolve('string') },
      ...{ resolveNumberEvaluation: resolve('number'), resolveObjectEvaluation: resolve('object') },
    }),
  );
  const decided: (bigint | null)[] = [];
  for (; n < values.length; n++) decided.push((await gate.decide(question)).value);
  expect([decided, problems]).toEqual([[1n, 10_000n, 250n, 20_000n, null, null, 300n, 1n], []]);
});

test('a provider that says ten thousand times that something changed is asked again a few times, at the end as well', async () => {
  const events = new OpenFeatureEventEmitter();
  const gate = await gateOf(providerOf(() => ({ value: true }), { events }));
  let told = 0;
  gate.onChange(() => told++);
  for (let i = 0; i < 10_000; i++) {
    events.emit(ProviderEvents.ConfigurationChanged);
    if (i % 1_000 === 0) await setTimeout(1);
  }
  await until('it is heard', () => told > 0);
  const meanwhile = told;
  await until('it is heard at the end', () => told > meanwhile);
  expect(told).toBeLessThan(100);
});

test('what a provider says has changed while it answers slowly is asked when it has answered', async () => {
  const waiting: (() => void)[] = [];
  const events = new OpenFeatureEventEmitter();
  const slow = () => new Promise((answer) => waiting.push(() => answer({ value: true })));
  const gate = await gateOf(providerOf(slow, { events }));
  let told = 0;
  gate.onChange(() => told++);
  const asked = Array.from({ length: 40 }, (_, pid) => gate.decide({ ...question, pid }));
  await until('it is asked', () => waiting.length === 16);
  for (let i = 0; i < 5; i++) {
    events.emit(ProviderEvents.ConfigurationChanged);
    await setTimeout(110);
  }
  expect(told, 'nothing is asked twice at a time').toBe(0);
  const end = setInterval(() => waiting.shift()?.(), 1);
  await Promise.all(asked);
  clearInterval(end);
  await until('it is told', () => told > 0);
});

test.each<readonly [string, unknown, RegExp]>([
  ['nothing', undefined, /does not answer \(it threw what is no error \(undefined\)\)/],
  ['a text', 'no key', /does not answer \(no key\)/],
  ['an error', new Error('no key'), /does not answer \(no key\)/],
])('a provider whose start rejects with %s shuts the gate, and says so', async (_, thrown, said) => {
  const events = new OpenFeatureEventEmitter();
  const initialize = async () => Promise.reject(thrown);
  const gate = await gateOf(providerOf(() => ({ value: true }), { events, initialize }));
  expect([problems, gate.provider?.state]).toEqual([[expect.stringMatching(said)], 'ERROR']);
  expect((await gate.decide(question)).value).toBeNull();
});

test.each<readonly [string, () => unknown]>([
  ['throws', raise(new Error('closed already'))],
  ['rejects', () => Promise.reject(new Error('closed already'))],
  ['never ends', () => new Promise(() => {})],
  ['gives no promise', () => 7],
])('a provider that %s when it is closed does not keep the gate from its end, which comes once', async (_, onClose) => {
  let closed = 0;
  const counted = () => {
    closed++;
    return onClose();
  };
  const provider = providerOf(() => ({ value: true }), { onClose: counted });
  const gate = await gateOf(provider);
  await gate.close();
  await gate.close();
  expect(closed).toBe(1);
  expect((await gate.decide(question)).value, 'whoever asks later is not tuned').toBeNull();
});

test.each([
  ['{ resolveBooleanEvaluation() {} }', /has no name \(metadata\.name\)/],
  ['{ metadata: { name: "web" }, runsOn: "client", resolveBooleanEvaluation() {} }', /for one user at a time/],
])('a module whose provider is %s is refused', async (provider, why) => {
  const path = join(dir, 'provider.mjs');
  writeFileSync(path, `export default ${provider};`);
  chmodSync(path, 0o600);
  await expect(loadProvider({ module: path, from: dir })).rejects.toThrow(why);
});
