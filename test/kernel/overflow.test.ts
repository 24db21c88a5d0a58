/** More agents than have series of their own share one, and that is said. */
import { AggregationTemporality, type ExponentialHistogramMetricData } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { KernelHistograms } from '../../otel/producer.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { tell } from '../support/conversation.ts';
import { countOf, untimed } from '../support/counting.ts';
import type { Program } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';

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
