/** More agents than have series of their own share one, and that is said. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AggregationTemporality, type ExponentialHistogramMetricData } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { KernelHistograms } from '../../otel/producer.ts';
import { addon } from '../../src/native.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { countOf, untimed } from '../support/counting.ts';
import { Program, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { FIXTURES } from '../support/taut.ts';

test('agents beyond the cap share one series, which is marked, and outlives them', async () => {
  using tracer = new Tracer({ maxAgents: 1 });
  await using one = await sleeper();
  await using two = await sleeper();
  await using three = await sleeper();
  const attach = ({ pid }: Program) => tracer.attach({ pid, name: 'sleeper', createdAtMs: 0 });
  expect([attach(one), attach(two), attach(three)]).toEqual(['own', 'overflow', 'overflow']);
  for (const program of [one, two, three]) await tell(program, 'sleep 50 500');
  expect(tracer.snapshot(one.pid)?.pid).toBe(one.pid);
  expect(tracer.snapshot(two.pid)).toBeUndefined();
  for (const program of [two, three]) tracer.detach(program.pid);
  const shared = tracer.collect().filter((snapshot) => 'overflow' in snapshot);
  expect(shared).toHaveLength(1);
  const together = countOf(shared[0]?.series ?? [], 'timer.lateness');
  expect(together).toBeLessThanOrEqual(100);
  expect(together + untimed(tracer, shared[0]?.series ?? [])).toBeGreaterThanOrEqual(100);

  const snapshots = () => tracer.collect();
  const producer = new KernelHistograms({ snapshots, temporality: AggregationTemporality.CUMULATIVE });
  const { resourceMetrics } = await producer.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics) as ExponentialHistogramMetricData[];
  const points = metrics.flatMap(({ dataPoints }) => dataPoints);
  const overflow = points.filter(({ attributes }) => attributes['otel.metric.overflow'] === true);
  expect(overflow.length).toBeGreaterThan(0);
  expect(overflow.filter(({ attributes }) => 'process.pid' in attributes)).toEqual([]);
  expect(points.filter(({ attributes }) => attributes['process.pid'] === one.pid).length).toBeGreaterThan(0);
});

test('a process that takes the place of one that has gone has series of its own, from nothing', async () => {
  using tracer = new Tracer({ maxAgents: 1 });
  await using program = await sleeper();
  const attach = (name = 'one') => tracer.attach({ pid: program.pid, name, createdAtMs: 0 });
  expect(attach()).toBe('own');
  await tell(program, 'sleep 20 500');
  tracer.detach(program.pid);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // a place rests for a second
  expect(attach('another')).toBe('own');
  expect(countOf(tracer.snapshot(program.pid)?.series ?? [], 'timer.lateness')).toBe(0);
});

test('of agents that come and go between two collections, those beyond a number are in the shared series', async () => {
  using tracer = new Tracer({ maxGone: 1 });
  const gone: number[] = [];
  let counted = 0;
  const comesAndGoes = async () => {
    await using program = await sleeper();
    tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
    await tell(program, 'sleep 20 500');
    counted += countOf(tracer.snapshot(program.pid)?.series ?? [], 'timer.lateness');
    tracer.detach(program.pid);
    gone.push(program.pid);
  };
  for (let i = 0; i < 3; i++) await comesAndGoes();
  const first = tracer.collect();
  expect(first.map((one) => ('overflow' in one ? 'shared' : one.pid))).toEqual([gone[0], 'shared']);
  const sum = first.reduce((total, { series }) => total + countOf(series, 'timer.lateness'), 0);
  expect([sum, counted > 0]).toEqual([counted, true]);
  // One whose counts were in a collection has its last point to itself: else it would count twice.
  await using other = await sleeper();
  tracer.attach({ pid: other.pid, name: 'sleeper', createdAtMs: 0 });
  await tell(other, 'sleep 20 500');
  expect(tracer.collect()).toHaveLength(2);
  await comesAndGoes();
  tracer.detach(other.pid);
  const last = tracer.collect().map((one) => ('overflow' in one ? 'shared' : one.pid));
  expect(last).toEqual([gone[3], other.pid, 'shared']);
});

test('the memory of series is given back when many agents have gone, and the counts of those that stay are kept', async () => {
  using tracer = new Tracer();
  const { blockAgents } = addon().layout;
  const many = 3 * blockAgents;
  await using crowd = new Program('python3', [join(FIXTURES, 'crowd.py'), String(many), '/bin/sleep', '100000']);
  await crowd.line(/^ready/);
  const pids = (crowd.lines[0] ?? '').split(' ').map(Number);
  const mapped = () =>
    readFileSync('/proc/self/maps', 'latin1')
      .split('\n')
      .filter((line) => line.includes('bpf-map'));
  const before = mapped().length;
  await using last = await sleeper();
  for (const pid of pids) tracer.attach({ pid, name: 'crowd', createdAtMs: 0 });
  tracer.attach({ pid: last.pid, name: 'sleeper', createdAtMs: 0 });
  await until('there is room for all', () => mapped().length === before + 3);
  await tell(last, 'sleep 20 500');
  for (const pid of pids) tracer.detach(pid);
  // The last one's block is in the middle of nothing, and one is kept for those to come.
  await until('the others are gone', () => mapped().length === before + 1);
  await tell(last, 'sleep 20 500');
  const counted = () => countOf(tracer.snapshot(last.pid)?.series ?? [], 'timer.lateness');
  expect(counted() + untimed(tracer, tracer.snapshot(last.pid)?.series ?? [])).toBeGreaterThanOrEqual(40);
  // Whoever comes next has series of its own, from nothing.
  await using next = await sleeper();
  expect(tracer.attach({ pid: next.pid, name: 'sleeper', createdAtMs: 0 })).toBe('own');
  expect(countOf(tracer.snapshot(next.pid)?.series ?? [], 'timer.lateness')).toBe(0);
  await tell(next, 'sleep 20 500');
  expect(countOf(tracer.snapshot(next.pid)?.series ?? [], 'timer.lateness')).toBeGreaterThan(0);
});
