/** However a process ends that has the tracer open, the addon does it no harm. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { ledger } from '../support/counting.ts';
import { Program } from '../support/program.ts';
import { FIXTURES } from '../support/taut.ts';

const ending = (way: string) => new Program(process.execPath, [join(FIXTURES, 'lifecycle.ts'), way]);

test.each([
  ['close', 0, 'closed twice, and used after'],
  ['exit', 3, 'process.exit'],
  ['throw', 1, 'an uncaught exception'],
  ['workers', 0, 'worker threads that are terminated'],
  ['endingWorkers', 0, 'worker threads that exit'],
])('%s: ends with %i (%s)', async (way, code) => {
  await using program = ending(way);
  expect(await program.ended, program.errors.join('\n')).toBe(code);
  expect(program.lines.filter((line) => line.startsWith('listening'))).toHaveLength(1);
});

test('opened and closed again and again, it keeps no descriptor', async () => {
  await using program = ending('again');
  expect(await program.ended, program.errors.join('\n')).toBe(0);
  expect(program.lines).toEqual(['listening, and 0 descriptors more']);
});

/** Kernel objects of ours that are left: maps by their ids, as bpftool would list them. */
const maps = (pid: number) =>
  execFileSync('sh', ['-c', `ls -l /proc/${pid}/fd | grep -c bpf-map || true`], { encoding: 'utf8' }).trim();

test('attached and detached under load, it keeps nothing', async () => {
  using tracer = new Tracer();
  await using program = new Program('python3', [join(FIXTURES, 'storm.py'), 'load']);
  await program.line(/^ready/);
  const attach = () => tracer.attach({ pid: program.pid, name: 'storm', createdAtMs: 0 });
  attach();
  tracer.detach(program.pid);
  const before = maps(process.pid);
  const storm = tell(program, 'threads 3000');
  for (let i = 0; i < 500; i++) {
    attach();
    await new Promise((resolve) => setTimeout(resolve, 1));
    tracer.detach(program.pid);
  }
  await storm;
  tracer.collect();
  expect(tracer.collect()).toEqual([]);
  expect(maps(process.pid)).toBe(before);
  const { seen, decided } = ledger(tracer);
  expect(seen).toBeGreaterThan(0);
  expect(decided).toBe(seen);
});
