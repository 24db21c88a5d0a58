/** The addon under AddressSanitizer, UBSan and LeakSanitizer: whatever is done with it, it touches only what it owns. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Program } from '../support/program.ts';
import { findings, leaksOf, lookedForLeaks, SanitizedTaut } from './build.ts';

let taut: SanitizedTaut;
beforeAll(() => {
  taut = new SanitizedTaut();
});
afterAll(() => taut[Symbol.dispose]());

/** Ends with that code, and no sanitizer has anything to say. */
async function isClean(program: Program, code: number): Promise<void> {
  const ended = await program.ended;
  expect(findings(program)).toEqual([]);
  expect(ended, program.errors.slice(0, 100).join('\n')).toBe(code);
}

test('every exported function answers wrong arguments with a TypeError or an errno, open or closed', async () => {
  await using program = taut.run('test/sanitizers/fixtures/calls.ts');
  await isClean(program, 0);
  const { calls, typeErrors } = JSON.parse(program.lines.at(-1) ?? '') as { calls: number; typeErrors: number };
  expect(calls).toBeGreaterThan(5_000);
  expect(typeErrors).toBeGreaterThan(calls / 2);
  expect(leaksOf(program)).toEqual([]);
});

test('files, sockets, and a tracer that attaches and detaches under load', async () => {
  await using program = taut.run('test/sanitizers/fixtures/work.ts');
  await isClean(program, 0);
  const { connections, events } = JSON.parse(program.lines.at(-1) ?? '') as { connections: number; events: number };
  expect(connections).toBe(100);
  expect(events).toBeGreaterThan(2_000);
  expect(leaksOf(program)).toEqual([]);
});

test.each([
  ['close', 0, 'closed twice, and used after'],
  ['again', 0, 'opened and closed again and again'],
  ['exit', 3, 'process.exit'],
  ['throw', 1, 'an uncaught exception'],
  ['workers', 0, 'worker threads that are terminated'],
  ['endingWorkers', 0, 'worker threads that exit'],
])('%s: ends with %i (%s)', async (way, code) => {
  await using program = taut.run('test/kernel/fixtures/lifecycle.ts', way);
  await isClean(program, code);
  expect(program.lines.filter((line) => line.startsWith('listening'))).toHaveLength(1);
  // What ends in the middle of things leaves them to the kernel.
  if (way === 'close' || way === 'again') expect(leaksOf(program)).toEqual([]);
});

test('leaks are looked for: Node leaves some of its own', async () => {
  await using program = taut.run('test/kernel/fixtures/lifecycle.ts', 'close');
  await program.ended;
  expect(lookedForLeaks(program)).toBe(true);
});
