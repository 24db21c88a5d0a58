/** Gates beside an application's own use of OpenFeature: any provider decides, and nobody's provider is disturbed. */
import { setImmediate } from 'node:timers/promises';
import {
  ErrorCode,
  InMemoryProvider,
  OpenFeature,
  OpenFeatureEventEmitter,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { afterEach, expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { flagKey, type Gate } from '../../src/gate/gate.ts';
import { until } from '../support/program.ts';

const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };
const KEY = flagKey(timerSlack);
const flag = (defaultVariant: 'on' | 'off') => ({
  [KEY]: { variants: { on: true, off: false }, defaultVariant, disabled: false },
});
const open: Gate[] = [];

afterEach(async () => {
  for (const gate of open.splice(0)) await gate.close();
  await OpenFeature.clearProviders();
});

async function gateOf(provider: InMemoryProvider): Promise<Gate> {
  const gate = await createGate({ provider, onProblem: () => {} });
  open.push(gate);
  return gate;
}

const targetOf = async (gate: Gate) => (await gate.decide(question)).value;

test('a provider of the caller decides, and is heard when its flags change', async () => {
  const provider = new InMemoryProvider(flag('off'));
  const gate = await gateOf(provider);
  const { value, flag: told } = await gate.decide(question);
  expect([value, told?.key, told?.variant]).toEqual([null, KEY, 'off']);
  const changed = Promise.withResolvers<void>();
  gate.onChange(() => changed.resolve());
  await provider.putConfiguration(flag('on'));
  await changed.promise;
  expect(await targetOf(gate)).toBe(1n);
});

test('two gates of one process have a provider each, and the end of one is not the other’s', async () => {
  const [first, second] = [
    await gateOf(new InMemoryProvider(flag('on'))),
    await gateOf(new InMemoryProvider(flag('off'))),
  ];
  expect([await targetOf(first), await targetOf(second)]).toEqual([1n, null]);
  await second.close();
  expect(await targetOf(first)).toBe(1n);
});

test('the end of a gate leaves the provider of the application as it is', async () => {
  const own = { mine: { variants: { on: true, off: false }, defaultVariant: 'on', disabled: false } };
  await OpenFeature.setProviderAndWait(new InMemoryProvider(own));
  const gate = await gateOf(new InMemoryProvider(flag('on')));
  await gate.close();
  expect(await OpenFeature.getClient().getBooleanValue('mine', false)).toBe(true);
});

test('a provider is told of the end of its gate', async () => {
  const provider = new InMemoryProvider(flag('on'));
  const closed: string[] = [];
  Object.assign(provider, {
    onClose: async () => {
      closed.push('closed');
    },
  });
  const gate = await gateOf(provider);
  await gate.close();
  expect(closed).toEqual(['closed']);
  expect(await targetOf(gate), 'whoever asks later is not tuned').toBeNull();
});

/** Has flags of these values, counts how often it is asked, and sends events that a test wants. */
class Counting {
  readonly metadata = { name: 'counting' };
  readonly events = new OpenFeatureEventEmitter();
  readonly #values: Record<string, unknown>;
  asked = 0;
  wrongType = ErrorCode.TYPE_MISMATCH;

  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  resolveBooleanEvaluation = this.#resolve('boolean');
  resolveStringEvaluation = this.#resolve('string');
  resolveNumberEvaluation = this.#resolve('number');
  resolveObjectEvaluation = this.#resolve('object');

  #resolve(type: string) {
    return async <T>(key: string, fallback: T) => {
      this.asked++;
      const value = this.#values[key];
      if (value === undefined) return { value: fallback, errorCode: ErrorCode.FLAG_NOT_FOUND };
      if (typeof value !== type) return { value: fallback, errorCode: this.wrongType };
      return { value: value as T };
    };
  }

  turnInto(value: unknown): void {
    this.#values[KEY] = value;
  }
}

async function countingGate(value: unknown): Promise<{ gate: Gate; provider: Counting }> {
  const provider = new Counting({ [KEY]: value });
  const gate = await createGate({ provider, onProblem: () => {} });
  open.push(gate);
  return { gate, provider };
}

test.each([
  [true, 1n],
  ['10us', 10_000n],
  [250, 250n],
])('a provider is asked once for a flag of %j whose type is known', async (value, target) => {
  const { gate, provider } = await countingGate(value);
  expect(await targetOf(gate)).toBe(target);
  provider.asked = 0;
  expect([await targetOf(gate), await targetOf(gate), provider.asked]).toEqual([target, target, 2]);
});

test('a provider of texts, which can not parse one as a boolean, is asked for the text, and then for that alone', async () => {
  const { gate, provider } = await countingGate('10us');
  provider.wrongType = ErrorCode.PARSE_ERROR;
  expect(await targetOf(gate)).toBe(10_000n);
  provider.asked = 0;
  expect([await targetOf(gate), provider.asked]).toEqual([10_000n, 1]);
});

test('a flag that has another type now is understood, and then asked for once again', async () => {
  const { gate, provider } = await countingGate('10us');
  expect(await targetOf(gate)).toBe(10_000n);
  provider.turnInto(true);
  expect(await targetOf(gate)).toBe(1n);
  provider.asked = 0;
  expect([await targetOf(gate), provider.asked]).toEqual([1n, 1]);
});

test.each([ProviderEvents.Ready, ProviderEvents.Stale, ProviderEvents.Error, ProviderEvents.ConfigurationChanged])(
  'whoever listens is told when a provider says %s, and not of what was so before',
  async (event) => {
    const { gate, provider } = await countingGate(true);
    let changes = 0;
    const end = gate.onChange(() => changes++);
    expect(changes).toBe(0);
    provider.events.emit(event);
    await until('it is heard', () => changes > 0);
    end();
    provider.events.emit(event);
    await setImmediate();
    expect(changes).toBe(1);
  },
);
