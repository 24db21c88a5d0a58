import { expect, test } from 'vitest';
import { BoundedMap } from '../../src/util/boundedMap.ts';

test('a map of the newest entries drops the oldest, and says which', () => {
  const dropped: string[] = [];
  const map = new BoundedMap<string, number>(2, (key) => dropped.push(key));
  for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, i);
  expect([...map]).toEqual([
    ['c', 2],
    ['d', 3],
  ]);
  expect(dropped).toEqual(['a', 'b']);
});

test('what is set again is the newest', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
  expect([...map.keys()]).toEqual(['a', 'c']);
  expect(map.get('a')).toBe(3);
});
