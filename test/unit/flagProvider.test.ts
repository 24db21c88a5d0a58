/** Gates beside an application's own use of OpenFeature: any provider decides, and nobody's provider is disturbed. */
import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import { afterEach, expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { flagKey, type Gate } from '../../src/gate/gate.ts';

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
