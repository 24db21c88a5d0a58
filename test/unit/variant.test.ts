/** What the series of an agent are told apart by. */
import { expect, test } from 'vitest';
import { variantOf } from '../../src/agents/variant.ts';
import { Life } from '../support/life.ts';

const by = (key: string, variant: string | undefined) => ({
  flag: { key, provider: 'a test', variant, reason: undefined },
});

test('a profile that decides on every setting is one flag', () => {
  expect(variantOf([by('taut.optimize', 'on'), by('taut.optimize', 'on')])).toEqual({
    key: 'taut.optimize',
    variant: 'on',
  });
});

test('several flags are named in the order of their keys, whatever the order of the settings', () => {
  const both = { key: 'taut.optimize-sched-slice,taut.optimize-timer-slack', variant: 'off,1%2C5us' };
  const [slack, slice] = [by('taut.optimize-timer-slack', '1,5us'), by('taut.optimize-sched-slice', 'off')];
  expect([variantOf([slack, slice]), variantOf([slice, slack])]).toEqual([both, both]);
});

test('a flag that is missing or failed gives no variant, nor does an option', () => {
  expect(variantOf([by('taut.optimize', undefined), {}])).toBeUndefined();
});

test('a change of the variant is told once it is carried out, and none when the kill switch decides', async () => {
  using life = new Life();
  let variant: string | undefined = 'off';
  life.gate.asks = () => ({
    ...{ value: variant === 'on' ? 1n : null, reason: 'the test says so' },
    ...(variant !== undefined && by('taut.optimize-patience', variant)),
  });
  const pid = await life.run('bot');
  expect(life.variants.get(pid)).toEqual({ key: 'taut.optimize-patience', variant: 'off' });
  variant = 'on';
  await life.agents.gateAll();
  expect(life.variants.get(pid)).toEqual({ key: 'taut.optimize-patience', variant: 'on' });
  variant = undefined;
  await life.agents.gateAll();
  expect(life.variants.has(pid)).toBe(true);
  expect(life.variants.get(pid)).toBeUndefined();
});
