import { expect, test } from 'vitest';
import { MemoryReturn } from '../../src/agents/memoryReturn.ts';

/** How often memory was given back after each look. */
function collections(numbers: readonly number[]): number[] {
  let collected = 0;
  const memory = new MemoryReturn(() => void collected++);
  return numbers.map((agents) => {
    memory.look(agents);
    return collected;
  });
}

test('memory is given back once when many agents have gone for a while', () => {
  expect(collections([3_000, 10, 10, 10, 10, 10, 10, 10, 10])).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1]);
  expect(collections([3_000, 10, 10, 10, 10, 2_000, 10, 10])).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});

test('it is left to V8 when few have gone', () => {
  expect(collections([255, ...Array<number>(9).fill(0)]).at(-1)).toBe(0);
  expect(collections([3_000, ...Array<number>(9).fill(1_500)]).at(-1)).toBe(0);
});
