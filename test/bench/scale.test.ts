/** A thousand agents of ten threads each: how long attaching and collecting take, and what the kernel holds for them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { Program, threadIds, until } from '../kernel/program.ts';
import { FIXTURES } from '../kernel/taut.ts';

const AGENTS = 1_000;
const THREADS = 10;

/** What the BPF maps of this process hold, as the kernel accounts it, bytes. */
function mapBytes(): number {
  const text = execFileSync('sh', ['-c', `cat /proc/${process.pid}/fdinfo/* 2>/dev/null | grep -a ^memlock: || true`]);
  const sizes = [...text.toString().matchAll(/^memlock:\s+(\d+)/gm)].map(([, n]) => Number(n));
  return sizes.reduce((sum, n) => sum + n, 0);
}

function timed<T>(what: string, body: () => T): T {
  const from = performance.now();
  const result = body();
  process.stderr.write(`${what.padEnd(50)}${(performance.now() - from).toFixed(1).padStart(8)} ms\n`);
  return result;
}

const available = () => Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1]) * 1_024;

test('a thousand agents of ten threads', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-scale-'));
  const waits = join(dir, 'waits');
  execFileSync('clang', ['-O1', '-pthread', '-o', waits, join(FIXTURES, 'waits.c')]);
  await using crowd = new Program('python3', [join(FIXTURES, 'crowd.py'), String(AGENTS), waits, String(THREADS - 1)]);
  await crowd.line(/^ready/);
  const pids = (crowd.lines[0] ?? '').split(' ').map(Number);
  await until('all threads are there', () => pids.every((pid) => threadIds(pid).length === THREADS));
  using tracer = new Tracer();
  const before = available();
  timed(`attach ${AGENTS} agents, ${AGENTS * THREADS} threads`, () => {
    for (const pid of pids) tracer.attach({ pid, name: 'crowd', createdAtMs: 0 });
  });
  process.stderr.write(
    `memory: ${((before - available()) / 2 ** 20).toFixed(0)} MiB less available, maps ${(mapBytes() / 2 ** 20).toFixed(0)} MiB\n`,
  );
  const counted = () => tracer.collect().filter(({ series }) => series.length > 0).length;
  timed('collect while none has counted anything', counted);
  crowd.child.stdin?.end(); // they wake to be ended
  await crowd.ended;
  const all = timed('collect when all have', () => tracer.collect());
  expect(all).toHaveLength(AGENTS);
  timed('detach', () => {
    for (const pid of pids) tracer.detach(pid);
  });
  rmSync(dir, { recursive: true });
});
