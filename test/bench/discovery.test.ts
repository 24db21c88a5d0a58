/**
 * What a fork and exec of /bin/true costs more while somebody listens: nobody, taut, and a bpftrace one-liner, in turns.
 * Prints the medians and ratios; asserts only that all was run.
 *
 * TAUT_BENCH_BEFORE: another checkout that is built, to be compared with this one in the same run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seeded } from '../../src/util/seeded.ts';
import { estimate, inWords, median, type Pair, shuffled } from '../support/pairs.ts';
import { Program } from '../support/program.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';

const ROUNDS = Number(process.env['TAUT_BENCH_ROUNDS'] ?? 12);
const BEFORE = process.env['TAUT_BENCH_BEFORE'];
const TIMES = 2_000;
const ONE_LINER =
  'BEGIN { printf("ready\\n"); } tracepoint:sched:sched_process_exec { printf("%d %s\\n", pid, comm); }';

/** It needs tracefs, which is not mounted everywhere: for it alone, then. */
const BPFTRACE =
  '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace -e "$0"';

type Cost = readonly [tookUs: number, ownUs: number];
const random = seeded(Date.now());

test('what an exec costs more', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-execs-'));
  const execs = join(dir, 'execs');
  execFileSync('clang', ['-O1', '-Wall', '-Werror', '-o', execs, join(FIXTURES, 'execs.c')]);
  using sandbox = new Sandbox({ OTEL_METRIC_EXPORT_INTERVAL: '60000' });
  const us = () => Number(execFileSync(execs, [String(TIMES)])) / 1_000;
  /** @returns what an exec took, and of that time what the listener computed itself, both in microseconds. */
  const beside = async (listener: Program): Promise<Cost> => {
    const before = cpuUs(listener.pid);
    const took = us();
    return [took, (cpuUs(listener.pid) - before) / TIMES];
  };
  const besideWatch = (launcher: string) => async () => {
    await using taut = new Program(launcher, ['watch', '--state-dir', sandbox.stateDir]);
    await taut.line(/watching/);
    const cost = await beside(taut);
    await taut.stop();
    return cost;
  };
  const listeners: Record<string, () => Promise<Cost>> = {
    nobody: async () => [us(), 0],
    'taut watch': besideWatch(LAUNCHER),
    ...(BEFORE === undefined ? {} : { 'taut watch, before': besideWatch(join(BEFORE, 'bin/taut')) }),
    'bpftrace one-liner': async () => {
      await using bpftrace = new Program('unshare', ['-m', 'sh', '-c', BPFTRACE, ONE_LINER]);
      await bpftrace.line(/^ready/);
      const cost = await beside(bpftrace);
      await bpftrace.stop('SIGINT');
      return cost;
    },
  };
  const costs = new Map<string, Cost[]>(Object.keys(listeners).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, measure] of shuffled(Object.entries(listeners), random)) costs.get(name)?.push(await measure());

  process.stderr.write(`fork, exec and wait of /bin/true, ${ROUNDS} rounds of ${TIMES} in turns:\n`);
  const compared = (name: string, reference: string, of: 0 | 1) => {
    // Of each round: what others did on this machine meanwhile was much the same.
    const pairs = (costs.get(name) ?? []).map(
      (cost, i): Pair => [cost[of], costs.get(reference)?.[i]?.[of] ?? Number.NaN],
    );
    return `${inWords(estimate(pairs, random))} beside ${reference}`;
  };
  for (const [name, of] of costs) {
    const [took, own] = ([0, 1] as const).map((one) =>
      median(of.map((cost) => cost[one]))
        .toFixed(1)
        .padStart(7),
    );
    const more = name === 'nobody' ? '' : compared(name, 'nobody', 0);
    process.stderr.write(`${name.padEnd(20)} median ${took} us, of its own CPU ${own} us   ${more}\n`);
    expect(of).toHaveLength(ROUNDS);
  }
  if (BEFORE !== undefined)
    for (const [of, what] of ['an exec', "taut's own CPU"].entries())
      process.stderr.write(`${what}: ${compared('taut watch', 'taut watch, before', of === 0 ? 0 : 1)}\n`);
  rmSync(dir, { recursive: true });
});

/** What all threads of a process have computed so far, in microseconds. */
function cpuUs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce(
    (sum, tid) => sum + Number(readFileSync(join(tasks, tid, 'schedstat'), 'latin1').split(' ')[0]) / 1_000,
    0,
  );
}
