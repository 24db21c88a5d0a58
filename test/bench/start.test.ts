/**
 * A start on a host with ten thousand processes and twenty thousand sockets, among them ten agents: the first decision,
 * all of them, how long anything else waited, and what taut uses when nothing happens. Prints what it measured; asserts
 * only that every agent was found.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const PROCESSES = 10_000;
const AGENTS = 10;
const IDLE_S = 30;

/** What its threads have run so far, seconds. */
function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1').split(' ')[0]));
  return ns.reduce((sum, n) => sum + n, 0) / 1e9;
}

test.each([
  ['the built-in rules', []],
  ['and a rule about connections', [{ id: 'somewhere', connect: '203.0.113.7:443' }]],
])('a start among ten thousand processes: %s', async (what, rules) => {
  using sandbox = new Sandbox({ OTEL_METRIC_EXPORT_INTERVAL: '60000' });
  sandbox.useRules(rules, { builtin: true });
  const many = join(sandbox.dir, 'many');
  execFileSync('clang', ['-O1', '-Wall', '-Werror', '-o', many, join(FIXTURES, 'many.c')]);
  await using crowd = new Program(many, [String(PROCESSES), '/opt/agents/claude', String(AGENTS)]);
  await crowd.line(/^ready/, 120_000);
  const agents = (crowd.lines[0] ?? '').trim().split(' ').map(Number);
  expect(agents).toHaveLength(AGENTS);
  await setTimeout(1_000);

  const from = performance.now();
  await using taut = sandbox.taut('watch', '--config', sandbox.config, '--log-level', 'debug');
  const attached = () =>
    agents.filter((pid) => taut.errors.some((line) => line.includes(`attached to claude-code (${pid})`)));
  await taut.line(/attached to claude-code/);
  const first = performance.now() - from;
  await until('all are found', () => attached().length === AGENTS);
  const all = performance.now() - from;
  const looked = (await taut.line(/looked at/)).replace(/^taut: /, '');
  process.stderr.write(`${what}: ${looked}\n`);
  process.stderr.write(
    `  from its start, as a process: the first agent in ${first.toFixed(0)} ms, the last in ${all.toFixed(0)} ms\n`,
  );

  await taut.line(/watching/);
  await setTimeout(2_000);
  const before = cpuSeconds(taut.pid);
  await setTimeout(IDLE_S * 1_000);
  const used = ((cpuSeconds(taut.pid) - before) / IDLE_S) * 100;
  process.stderr.write(`  idle: ${used.toFixed(3)}% of a core over ${IDLE_S} s\n`);
  await taut.stop();
});
