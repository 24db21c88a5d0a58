/** What the kernel tells of an exec, and what follows where that is not all, or not true any more. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import type { KernelEvent } from '../../src/native.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { Program, slacks, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

/** TAUT_CMDLINE of `native/include/taut.h`. */
const MOST = 2_048;
const SHOW_SELF = ['-c', 'cat /proc/$$/cmdline; :'];
const OWN_BYTES = ['sh', ...SHOW_SELF].join(' ').length + 1;

test.each([
  ['no arguments of its own', []],
  ['empty ones', ['', '', 'x', '']],
  ['letters of more than one byte', ['ä', '漢字', '\u{1f980}']],
  ['as many bytes as fit', ['x'.repeat(MOST - OWN_BYTES - 1)]],
  ['one more', ['x'.repeat(MOST - OWN_BYTES)]],
  ['more than a page', ['x'.repeat(5_000)]],
  ['very many', Array.from({ length: 10_000 }, (_, i) => String(i))],
])('an exec is told with its command line, if that is not too long: %s', async (_, args) => {
  using tracer = new Tracer();
  const events: KernelEvent[] = [];
  tracer.listen((batch) => events.push(...batch));
  const { pid, stdout } = spawnSync('sh', [...SHOW_SELF, ...args]);
  const exec = () => events.find((event) => event.kind === 'exec' && event.pid === pid);
  await until('it is told', () => exec() !== undefined);
  expect(stdout.length).toBeGreaterThan(0);
  expect(exec()?.cmdline).toBe(stdout.length <= MOST ? stdout.toString('utf8') : undefined);
});

test.each([10, MOST, 5_000, 50_000])('an agent shows by an argument after %d bytes', async (bytes) => {
  using sandbox = new Sandbox();
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  await using agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), 'x'.repeat(bytes), sandbox.mark]);
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
});

test('who runs something else by the time it is looked at is judged by that', async () => {
  using sandbox = new Sandbox();
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  const programs = Array.from({ length: 50 }, () => new Program('sh', ['-c', 'exec sleep 1000', sandbox.mark]));
  try {
    await using agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), sandbox.mark]);
    await until('who came last is tuned', () => slacks(agent.pid)[0] === 1);
    const { agents } = await sandbox.json<StatusDocument>('status');
    expect(agents.map(({ pid }) => pid)).toEqual([agent.pid]);
    expect(programs.flatMap(({ pid }) => slacks(pid))).toEqual(programs.map(() => 50_000));
  } finally {
    for (const program of programs) await program[Symbol.asyncDispose]();
  }
});
