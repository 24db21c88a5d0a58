/** Wakeups are told apart by the scheduler's slice that was in force, read from the kernel and not from what was meant. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { schedSlice } from '../../src/actuator/schedSlice.ts';
import { addon, bpfObjectPath, check, failed } from '../../src/native.ts';
import type { Series } from '../../src/tracer/series.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { countOf, leftOut, sumOf } from '../support/counting.ts';
import { type MetricRequest, metricsOf, values } from '../support/otlp.ts';
import { threadIds } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const SLEEPS = 100;
const BY_SLICE = ['wakeup.latency', 'wakeup.run_queue_delay'] as const;

/** @param ns 0: the kernel's default. */
function setSlice(pid: number, ns: number): void {
  for (const tid of threadIds(pid))
    execFileSync('python3', [join(FIXTURES, 'schedattr.py'), 'slice', String(ns), String(tid)]);
}

const of = (tracer: Tracer, pid: number) => tracer.snapshot(pid)?.series ?? [];

test('with a slice of its own, while it has one: both quantities, every wakeup, and no sum is lost', async () => {
  // Where the kernel lacks it, `test:kernels` holds that nothing is told apart.
  expect(schedSlice.support().ok).toBe(true);
  using tracer = new Tracer({ slices: true });
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await tell(program, `sleep ${SLEEPS} 500`);
  for (const quantity of BY_SLICE) expect(countOf(of(tracer, program.pid), quantity, { slice: 'tuned' })).toBe(0);
  setSlice(program.pid, 100_000);
  await tell(program, `sleep ${SLEEPS} 500`);
  const tuned = of(tracer, program.pid);
  setSlice(program.pid, 0);
  await tell(program, `sleep ${SLEEPS} 500`);
  tracer.detach(program.pid);
  const [{ series } = { series: [] }] = tracer.collect();
  const left = leftOut(tracer);
  for (const quantity of BY_SLICE) {
    expect(countOf(tuned, quantity, { slice: 'tuned' })).toBeGreaterThanOrEqual(SLEEPS - left);
    expect(countOf(series, quantity, { slice: 'tuned' })).toBe(countOf(tuned, quantity, { slice: 'tuned' }));
    expect(countOf(series, quantity, { slice: 'default' })).toBeGreaterThanOrEqual(2 * SLEEPS - left);
    expect(countOf(series, quantity, { slice: undefined })).toBe(0);
  }
  const parts = (['timer.lateness', 'wakeup.hand_over', 'wakeup.run_queue_delay'] as const).map((q) =>
    sumOf(series, q),
  );
  expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(sumOf(series, 'wakeup.latency'));
});

test('where taut sets no slice, none is looked at, and every wakeup is counted all the same', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  setSlice(program.pid, 100_000);
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  await tell(program, `sleep ${SLEEPS} 500`);
  const series: readonly Series[] = of(tracer, program.pid);
  expect(countOf(series, 'wakeup.latency')).toBeGreaterThanOrEqual(SLEEPS - leftOut(tracer));
  expect(new Set(series.map(({ slice }) => slice))).toEqual(new Set([undefined]));
});

test('the 65th agent has its own series as well, with those of its slice', async () => {
  using tracer = new Tracer({ slices: true });
  await using program = await sleeper();
  // A block has 64 places.
  for (let i = 1; i <= 64; i++) tracer.attach({ pid: 2 ** 22 + i, name: 'nobody', createdAtMs: 0 });
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  setSlice(program.pid, 100_000);
  await tell(program, `sleep ${SLEEPS} 500`);
  const series = of(tracer, program.pid);
  expect(countOf(series, 'wakeup.latency', { slice: 'tuned' })).toBeGreaterThanOrEqual(SLEEPS - leftOut(tracer));
  expect(
    countOf(
      tracer.collect().flatMap((one) => one.series),
      'wakeup.latency',
    ),
  ).toBe(countOf(series, 'wakeup.latency'));
});

test('what is loaded keeps its layout: loading it again for slices fails, and its series are read as before', () => {
  const { layout, BpfObject, WakeupTracer } = addon();
  const object = new BpfObject();
  const tracer = new WakeupTracer(object);
  check(object.open(bpfObjectPath('taut')), 'open');
  check(tracer.load(false), 'load');
  const histograms = layout.series.filter(({ slice }) => slice !== 'tuned').length;
  expect(failed(tracer.load(true))).toBe(true);
  expect(tracer.readSeries(1, new Uint32Array(2 * histograms * layout.histogramWords))).toBe(0);
  tracer.close();
  object.close();
});

/** The wakeups in the last export of each series, by the slice that the export tells. */
async function exported(...options: string[]): Promise<Map<unknown, number>> {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = sandbox.taut('attach', String(agent.pid), ...options);
  await taut.line(/watching/);
  await tell(agent, `sleep ${SLEEPS} 500`);
  await taut.stop('SIGINT');
  const lines = readFileSync(join(sandbox.stateDir, 'otlp/metrics.jsonl'), 'utf8').trim().split('\n');
  const delays = metricsOf(
    lines.map((line) => JSON.parse(line) as MetricRequest),
    'taut.wakeup.run_queue_delay',
  );
  const points = delays.flatMap(({ exponentialHistogram }) => exponentialHistogram?.dataPoints ?? []);
  const last = new Map(points.map((point) => [JSON.stringify(point.attributes), point]));
  const counts = new Map<unknown, number>();
  for (const { attributes, count } of last.values()) {
    const slice = values(attributes)['taut.sched.slice'];
    counts.set(slice, (counts.get(slice) ?? 0) + Number(count));
  }
  return counts;
}

test('a taut that sets slices exports them, and one that sets none does not speak of them', async () => {
  expect((await exported('--optimize-sched-slice')).get('tuned')).toBeGreaterThan(SLEEPS / 2);
  expect([...(await exported('--optimize-timer-slack')).keys()]).toEqual([undefined]);
});
