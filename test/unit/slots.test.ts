import { expect, test } from 'vitest';
import { Slots } from '../../src/tracer/slots.ts';

test('places are numbered from 1, and used again a second after they were given back', () => {
  const slots = new Slots(4);
  expect([slots.take(0), slots.take(0)]).toEqual([1, 2]);
  slots.give(1, 100);
  slots.give(2, 200);
  expect(slots.take(1_099)).toBe(3);
  expect(slots.take(1_100)).toBe(1);
  expect(slots.take(1_100)).toBe(4);
  expect(slots.take(1_200)).toBe(2);
});

test('the lowest free place is taken, so that those above are idle', () => {
  const slots = new Slots(8);
  for (let n = 0; n < 6; n++) slots.take(0);
  for (const slot of [6, 4, 5, 2]) slots.give(slot, 0);
  expect([slots.isIdle(4, 6, 999), slots.isIdle(4, 6, 1_000), slots.isIdle(3, 6, 1_000)]).toEqual([false, true, false]);
  expect(slots.isIdle(7, 8, 0)).toBe(true);
  expect([slots.take(1_000), slots.take(1_000), slots.isIdle(5, 8, 1_000)]).toEqual([2, 4, true]);
});

test('there are no more than so many, and taking goes on when one is free', () => {
  const slots = new Slots(1);
  slots.take(0);
  expect(slots.take(0)).toBeUndefined();
  slots.give(1, 0);
  expect(slots.take(500)).toBeUndefined();
  expect(slots.take(1_000)).toBe(1);
});
