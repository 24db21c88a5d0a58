/**
 * What a fork and exec of /bin/true costs more while somebody listens: nobody, taut, and a bpftrace one-liner, in turns.
 * Prints the medians and ratios; asserts only that all was run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Program } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const ROUNDS = 7;
const TIMES = 2_000;
const ONE_LINER =
  'BEGIN { printf("ready\\n"); } tracepoint:sched:sched_process_exec { printf("%d %s\\n", pid, comm); }';

/** It needs tracefs, which is not mounted everywhere: for it alone, then. */
const BPFTRACE =
  '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace -e "$0"';

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

test('what an exec costs more', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-execs-'));
  const execs = join(dir, 'execs');
  execFileSync('clang', ['-O1', '-Wall', '-Werror', '-o', execs, join(FIXTURES, 'execs.c')]);
  using sandbox = new Sandbox({ OTEL_METRIC_EXPORT_INTERVAL: '60000' });
  const us = () => Number(execFileSync(execs, [String(TIMES)])) / 1_000;
  const listeners = {
    nobody: async () => us(),
    'taut watch': async () => {
      await using taut = sandbox.taut('watch');
      await taut.line(/watching/);
      const cost = us();
      await taut.stop();
      return cost;
    },
    'bpftrace one-liner': async () => {
      await using bpftrace = new Program('unshare', ['-m', 'sh', '-c', BPFTRACE, ONE_LINER]);
      await bpftrace.line(/^ready/);
      const cost = us();
      await bpftrace.stop('SIGINT');
      return cost;
    },
  };
  const costs = new Map<string, number[]>(Object.keys(listeners).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, measure] of Object.entries(listeners)) costs.get(name)?.push(await measure());

  const alone = costs.get('nobody') ?? [];
  process.stderr.write(`fork, exec and wait of /bin/true, ${ROUNDS} rounds of ${TIMES} in turns:\n`);
  for (const [name, of] of costs) {
    // Of each round: what others did on this machine meanwhile was much the same.
    const ratio = median(of.map((cost, i) => cost / (alone[i] ?? Number.NaN)));
    process.stderr.write(
      `${name.padEnd(20)} median ${median(of).toFixed(1).padStart(7)} us, ${ratio.toFixed(3)} times nobody's\n`,
    );
    expect(of).toHaveLength(ROUNDS);
  }
  rmSync(dir, { recursive: true });
});
