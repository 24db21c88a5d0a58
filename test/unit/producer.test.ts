import { AggregationTemporality, type ExponentialHistogramMetricData } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { KernelHistograms, seriesAttributes } from '../../otel/producer.ts';
import type { AgentSnapshot, ExpHistogram } from '../../src/tracer/series.ts';

const histogram = (buckets: number[], sumNs: bigint): ExpHistogram => ({
  scale: 3,
  offset: -120,
  buckets,
  zeroCount: 1,
  count: buckets.reduce((a, b) => a + b, 1),
  sumNs,
  minNs: 0n,
  maxNs: 50_000n,
});

const agent = (h: ExpHistogram): AgentSnapshot => ({
  pid: 42,
  name: 'claude-code',
  createdAtMs: Date.UTC(2026, 0, 1),
  attachedAtMs: Date.UTC(2026, 0, 2),
  series: [{ quantity: 'timer.lateness', source: undefined, slackClass: 'reachable', tuned: true, histogram: h }],
});

async function collect(producer: KernelHistograms): Promise<ExponentialHistogramMetricData[]> {
  const { resourceMetrics, errors } = await producer.collect();
  expect(errors).toEqual([]);
  return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics) as ExponentialHistogramMetricData[];
}

test('hands the kernel buckets on one for one, in seconds, with who and what they are about', async () => {
  const snapshots = () => [agent(histogram([2, 0, 3], 123_456_789n))];
  const [metric] = await collect(new KernelHistograms({ snapshots, temporality: AggregationTemporality.CUMULATIVE }));
  expect(metric?.descriptor).toMatchObject({ name: 'taut.timer.lateness', unit: 's' });
  const [point] = metric?.dataPoints ?? [];
  expect(point?.value).toEqual({
    count: 6,
    sum: 0.123456789,
    scale: 3,
    zeroCount: 1,
    positive: { offset: -120, bucketCounts: [2, 0, 3] },
    negative: { offset: 0, bucketCounts: [] },
    min: 0,
    max: 0.00005,
  });
  expect(point?.attributes).toEqual({
    'process.pid': 42,
    'process.creation.time': '2026-01-01T00:00:00.000Z',
    'taut.agent.name': 'claude-code',
    'taut.timer.slack_class': 'reachable',
    'taut.tuned': true,
  });
  expect(point?.startTime[0]).toBe(Date.UTC(2026, 0, 2) / 1000);
});

test('the slice in force is an attribute where it was looked at', () => {
  const delay = { quantity: 'wakeup.run_queue_delay', source: 'other', slackClass: undefined, tuned: false } as const;
  const snapshot = agent(histogram([1], 1n));
  const of = (slice: 'default' | 'tuned' | undefined) =>
    seriesAttributes(snapshot, { ...delay, slice, histogram: histogram([1], 1n) })['taut.sched.slice'];
  expect([of('default'), of('tuned'), of(undefined)]).toEqual(['default', 'tuned', undefined]);
});

test('the variant that a flag gave an agent is on its series, under the names of OpenTelemetry', () => {
  const lateness = { quantity: 'timer.lateness', source: undefined, slackClass: 'reachable', tuned: true } as const;
  const flag = { key: 'taut.optimize', variant: 'on' };
  const of = (series: object) =>
    seriesAttributes(agent(histogram([1], 1n)), { ...lateness, histogram: histogram([1], 1n), ...series });
  expect(of({ flag })).toMatchObject({ 'feature_flag.key': 'taut.optimize', 'feature_flag.result.variant': 'on' });
  expect(Object.keys(of({})).filter((name) => name.startsWith('feature_flag.'))).toEqual([]);
});

test('agents beyond the cap are one point, marked as OpenTelemetry marks it, and nobody in particular', async () => {
  const series = {
    quantity: 'wakeup.hand_over',
    source: 'timer',
    slackClass: undefined,
    tuned: undefined,
    histogram: histogram([1], 1n),
  } as const;
  const snapshots = () => [{ overflow: true, attachedAtMs: Date.UTC(2026, 0, 2), series: [series] } as const];
  const [metric] = await collect(new KernelHistograms({ snapshots, temporality: AggregationTemporality.CUMULATIVE }));
  expect(metric?.descriptor).toMatchObject({ name: 'taut.wakeup.hand_over', unit: 's' });
  expect(metric?.dataPoints.map(({ attributes }) => attributes)).toEqual([
    { 'otel.metric.overflow': true, 'taut.wakeup.source': 'timer' },
  ]);
});

test('as delta, each point starts where the one before ended and holds only what was added', async () => {
  let now = histogram([2, 0, 3], 100n);
  const producer = new KernelHistograms({ snapshots: () => [agent(now)], temporality: AggregationTemporality.DELTA });
  const first = (await collect(producer))[0]?.dataPoints[0];
  now = histogram([2, 4, 3], 150n);
  const second = (await collect(producer))[0]?.dataPoints[0];
  expect(second?.startTime).toEqual(first?.endTime);
  expect(second?.value).toMatchObject({ count: 4, zeroCount: 0, positive: { offset: -119, bucketCounts: [4] } });
  expect(second?.value.sum).toBeCloseTo(50e-9, 15);
  expect(await collect(producer)).toEqual([]);
});

test('a collection of many agents lets other work run in between', async () => {
  let turns = 0;
  const other = setInterval(() => turns++, 0);
  function* snapshots() {
    for (let n = 0; n < 20; n++) {
      const until = performance.now() + 2;
      while (performance.now() < until); // as long as many agents take
      yield agent(histogram([1], 1n));
    }
  }
  const [metric] = await collect(new KernelHistograms({ snapshots, temporality: AggregationTemporality.CUMULATIVE }));
  clearInterval(other);
  expect(metric?.dataPoints).toHaveLength(20);
  expect(turns).toBeGreaterThan(1);
});

test('a source that fails costs its own metrics and not the collection', async () => {
  const broken = () => {
    throw new Error('gone');
  };
  const producer = new KernelHistograms({ snapshots: broken, temporality: AggregationTemporality.CUMULATIVE });
  const { resourceMetrics, errors } = await producer.collect();
  expect(resourceMetrics.scopeMetrics).toEqual([]);
  expect(errors).toHaveLength(1);
});
