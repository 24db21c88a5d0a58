/**
 * A thousand agents of ten threads each: how long attaching and collecting take, what the kernel holds for them, and what
 * an event costs beside ten thousand processes that are no agents. Here, unlike in tests, times are asserted: they are
 * what was promised.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addon } from '../../src/native.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { Program, threadIds, until } from '../support/program.ts';
import { FIXTURES } from '../support/taut.ts';

const AGENTS = 1_000;
const THREADS = 10;
const OTHERS = 10_000;
const ROUNDS = 5;
const ATTACH_MS = 2_000;
const COLLECT_MS = 50;
const AGENT_BYTES = 64 * 1_024;

/** What the BPF maps of this process hold, as the kernel accounts it, bytes. */
function mapBytes(): number {
  const text = execFileSync('sh', ['-c', `cat /proc/${process.pid}/fdinfo/* 2>/dev/null | grep -a ^memlock: || true`]);
  const sizes = [...text.toString().matchAll(/^memlock:\s+(\d+)/gm)].map(([, n]) => Number(n));
  return sizes.reduce((sum, n) => sum + n, 0);
}

function say(what: string, value: string): void {
  process.stderr.write(`${what.padEnd(56)}${value.padStart(12)}\n`);
}

function timed<T>(what: string, body: () => T): { result: T; ms: number } {
  const from = performance.now();
  const result = body();
  const ms = performance.now() - from;
  say(what, `${ms.toFixed(1)} ms`);
  return { result, ms };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function compile(source: string, into: string): string {
  execFileSync('clang', ['-O1', '-pthread', '-o', into, source]);
  return into;
}

const available = () => Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1]) * 1_024;

test('a thousand agents of ten threads', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-scale-'));
  const waits = compile(join(FIXTURES, 'waits.c'), join(dir, 'waits'));
  await using crowd = new Program('python3', [join(FIXTURES, 'crowd.py'), String(AGENTS), waits, String(THREADS - 1)]);
  await crowd.line(/^ready/);
  const pids = (crowd.lines[0] ?? '').split(' ').map(Number);
  await until('all threads are there', () => pids.every((pid) => threadIds(pid).length === THREADS));
  using tracer = new Tracer();
  const { series, histogramWords } = addon().layout;
  const agentBytes = series.length * histogramWords * 8;
  say('series of one agent', `${agentBytes} bytes`);
  const before = available();
  const attaching = timed(`attach ${AGENTS} agents, ${AGENTS * THREADS} threads`, () => {
    for (const pid of pids) tracer.attach({ pid, name: 'crowd', createdAtMs: 0 });
  });
  expect(attaching.ms).toBeLessThan(ATTACH_MS);
  const held = before - available();
  say('less memory available', `${(held / 2 ** 20).toFixed(0)} MiB`);
  say('in maps', `${(mapBytes() / 2 ** 20).toFixed(0)} MiB`);
  expect(agentBytes).toBeLessThanOrEqual(AGENT_BYTES);
  // Beside the series: the threads' states, spare places, the addon.
  expect(held).toBeLessThan(1.5 * AGENTS * AGENT_BYTES);
  const counted = () => tracer.collect().filter(({ series }) => series.length > 0).length;
  expect(timed('collect while none has counted anything', counted).ms).toBeLessThan(COLLECT_MS);
  crowd.child.stdin?.end(); // they wake to be ended
  await crowd.ended;
  const all = timed('collect when all have', () => tracer.collect());
  expect(all.result).toHaveLength(AGENTS);
  expect(all.ms).toBeLessThan(COLLECT_MS);
  timed('detach', () => {
    for (const pid of pids) tracer.detach(pid);
  });
  rmSync(dir, { recursive: true });
});

/** Nanoseconds of a run of the tracer's programs, on average, while one agent passes bytes to and fro. */
async function runNs(tracer: Tracer, agent: Program): Promise<number> {
  const from = tracer.accounting.cost();
  await tell(agent, '20000');
  const to = tracer.accounting.cost();
  return ((to.kernelSeconds - from.kernelSeconds) * 1e9) / (to.runs - from.runs);
}

test('ten thousand processes that are no agents', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-scale-'));
  const passes = compile(join(FIXTURES, 'passes.c'), join(dir, 'passes'));
  const others = compile(join(import.meta.dirname, 'others.c'), join(dir, 'others'));
  using tracer = new Tracer();
  await using agent = new Program('taskset', ['-c', '1', passes, '1']);
  await agent.line(/^ready/);
  tracer.attach({ pid: agent.pid, name: 'passes', createdAtMs: 0 });
  tracer.accounting.turn(true);
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await runNs(tracer, agent));
    await using crowd = new Program(others, [String(OTHERS)]);
    await crowd.line(/^ready/);
    beside.push(await runNs(tracer, agent));
  }
  say('a run of a program', `${median(alone).toFixed(0)} ns`);
  say(`a run of a program, beside ${OTHERS} other processes`, `${median(beside).toFixed(0)} ns`);
  expect(median(beside) / median(alone)).toBeLessThan(1.25);
  rmSync(dir, { recursive: true });
});
