/**
 * Run-queue delay of one process in one period, by taut and by libbpf-tools' runqlat.
 *
 * What differs, and why:
 * - Units and buckets: runqlat's are powers of two of microseconds, whole microseconds, lower-inclusive. An edge of
 *   theirs lies inside one of taut's buckets, whose events may be on either side of it.
 * - Stamps: both read the clock in programs of their own, one after the other, at the same two tracepoints.
 * - Preemption: runqlat counts a thread that is preempted as queued from then on. To taut that is no wakeup. The kernel
 *   counts these (nonvoluntary_ctxt_switches).
 * - A program that the kernel did not run: taut discards such a wakeup and says so; runqlat records what it makes of it.
 */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { add, empty } from '../../src/tracer/arithmetic.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { counted } from '../support/counting.ts';
import { Program, switches } from '../support/program.ts';
import { upperBound } from '../support/reference.ts';

const waits = compiled('waits');
/** Between the two tools' readings of the clock at one event. */
const APART_NS = 2_000;

/** @returns events by slot: slot k holds [2^k, 2^(k+1)) us, slot 0 also 0. */
function slots(text: string): number[] {
  const found: number[] = [];
  for (const [, from, n] of text.matchAll(/^\s*(\d+) -> \d+\s*: (\d+)/gm))
    found[Number(from) === 0 ? 0 : Math.log2(Number(from))] = Number(n);
  return Array.from(found, (n) => n ?? 0);
}

/** How many values are surely below an edge (ns), and how many may be. */
function below(histogram: ExpHistogram, edge: number): { surely: number; perhaps: number } {
  const sum = (isBelow: (index: number) => boolean) =>
    histogram.buckets.reduce((n, count, i) => (isBelow(histogram.offset + i) ? n + count : n), histogram.zeroCount);
  return {
    surely: sum((index) => Number(upperBound(index)) < edge - APART_NS),
    perhaps: sum((index) => Number(upperBound(index - 1)) < edge + APART_NS),
  };
}

/** Both tools on one process that shares a CPU with one that burns. */
async function sideBySide(threads: number, words: string) {
  await using rival = new Program('taskset', ['-c', '0', waits, '1']);
  await using program = new Program('taskset', ['-c', '0', waits, String(threads)]);
  for (const one of [rival, program]) await one.line(/^ready/);
  await using runqlat = new Program('stdbuf', ['-oL', 'runqlat', '-p', String(program.pid), '1000']);
  await runqlat.line(/^Tracing/);
  await setTimeout(500);
  using tracer = new Tracer();
  const before = switches(program.pid).preempted;
  tracer.attach({ pid: program.pid, name: 'waits', createdAtMs: 0 });
  rival.say('burn 1 10000000');
  await tell(program, words);
  const preempted = switches(program.pid).preempted - before;
  tracer.detach(program.pid);
  await runqlat.stop('SIGINT');
  const histogram = tracer
    .collect()
    .flatMap(({ series }) => series)
    .filter(({ quantity }) => quantity === 'wakeup.run_queue_delay')
    .reduce((sum, series) => add(sum, series.histogram), empty(3));
  return { histogram, theirs: slots(runqlat.lines.join('\n')), preempted, leftOut: counted(tracer, /^discard_/) };
}

test.each([
  ['waits for timers', 1, 'nanosleep 4000 300', false],
  ['computes, and is preempted', 3, 'burn 3 500000', true],
])('a process that %s', async (_, threads, words, isPreempted) => {
  const { histogram, theirs, preempted, leftOut } = await sideBySide(threads, words);
  const total = theirs.reduce((sum, n) => sum + n, 0);
  process.stderr.write(
    `${words}: taut ${histogram.count}, runqlat ${total}; preempted ${preempted}, discarded ${leftOut}\n`,
  );
  if (isPreempted) expect(preempted).toBeGreaterThan(histogram.count);
  // Every event of theirs that we have not is a preemption, or a wakeup that we discarded and counted.
  expect(total - histogram.count).toBeGreaterThanOrEqual(preempted - leftOut);
  expect(total - histogram.count).toBeLessThanOrEqual(preempted + leftOut);
  let sum = 0;
  for (const [slot, n] of theirs.entries()) {
    sum += n;
    const edge = 2 ** (slot + 1) * 1_000;
    const ours = below(histogram, edge);
    process.stderr.write(
      `  below ${String(edge / 1_000).padStart(8)} us: runqlat ${String(sum).padStart(6)}, taut ${ours.surely} to ${ours.perhaps}\n`,
    );
    expect(sum).toBeGreaterThanOrEqual(ours.surely - leftOut);
    expect(sum).toBeLessThanOrEqual(ours.perhaps + preempted + leftOut);
  }
});
