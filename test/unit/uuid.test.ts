/** Ids of operations are unique, and have the form that tools for UUIDs take. */
import { expect, test, vi } from 'vitest';

const readFileSync = vi.hoisted(() => vi.fn());
vi.mock('node:fs', () => ({ readFileSync }));

/** As a process that has made none yet. */
async function fresh(kernel: string): Promise<() => string> {
  vi.resetModules();
  readFileSync.mockReset().mockReturnValue(`${kernel}\n`);
  return (await import('../../src/util/uuid.ts')).uuid;
}

const KERNEL = '0b2a1d3c-4e5f-4678-9abc-';

test('the first is the kernel’s, and the kernel is asked once', async () => {
  const uuid = await fresh(`${KERNEL}00000000000a`);
  expect(uuid()).toBe(`${KERNEL}00000000000a`);
  expect([uuid(), uuid()]).toEqual([`${KERNEL}00000000000b`, `${KERNEL}00000000000c`]);
  expect(readFileSync).toHaveBeenCalledTimes(1);
});

test('a count that is full goes on at zero, and no id changes its length', async () => {
  const uuid = await fresh(`${KERNEL}ffffffffffff`);
  expect([uuid(), uuid()]).toEqual([`${KERNEL}ffffffffffff`, `${KERNEL}000000000000`]);
});

test('where the kernel gives none, it is one all the same', async () => {
  const uuid = await fresh(KERNEL);
  readFileSync.mockImplementation(() => {
    throw new Error('ENOENT');
  });
  const made = Array.from({ length: 1_000 }, uuid);
  expect(new Set(made).size).toBe(1_000);
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
