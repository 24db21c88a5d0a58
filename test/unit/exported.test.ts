/** What was collected counts as told only when it was exported: until then a delta goes on from where it was. */
import type { HrTime } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import { AggregationTemporality, type ExponentialHistogramMetricData } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { Beginnings } from '../../otel/beginnings.ts';
import { DeltaOf } from '../../otel/delta.ts';
import { Exported } from '../../otel/exported.ts';
import { KernelHistograms } from '../../otel/producer.ts';
import { LetGo } from '../../src/tracer/letGo.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';
import { until } from '../support/program.ts';

const SERIES = { source: undefined, slackClass: undefined, tuned: undefined };

const histogram = (count: number): ExpHistogram => ({
  ...{ scale: 3, offset: 0, buckets: [count], zeroCount: 0, count, sumNs: 0n, minNs: undefined, maxNs: undefined },
});

const at = (seconds: number): HrTime => [seconds, 0];

function collector(exported?: Exported) {
  const delta = new DeltaOf<number>((later, earlier) => later - earlier, exported);
  return (value: number, seconds: number) => {
    const { startTime, value: since } = delta.next('series', { startTime: at(0), value }, at(seconds));
    delta.sweep();
    return [startTime[0], since];
  };
}

test('a delta goes on from the last collection that was exported', () => {
  const exported = new Exported();
  const collect = collector(exported);
  expect(collect(10, 1)).toEqual([0, 10]);
  expect(collect(15, 2)).toEqual([0, 15]);
  exported.tell();
  expect(collect(18, 3)).toEqual([2, 3]);
  expect(collect(20, 4)).toEqual([2, 5]);
  exported.tell();
  exported.tell();
  expect(collect(20, 5)).toEqual([4, 0]);
});

test('where nobody says what was exported, every collection counts', () => {
  const collect = collector();
  expect(collect(10, 1)).toEqual([0, 10]);
  expect(collect(15, 2)).toEqual([1, 5]);
});

test('the last counts of those that have ended are in every collection until one was exported', () => {
  const letGo = new LetGo<{ pid: number; name: string; createdAtMs: number }>();
  const process = (pid: number) => ({ pid, name: 'agent', createdAtMs: 0 });
  letGo.add(process(1));
  letGo.add(process(2));
  expect(letGo.take(true)).toEqual([process(1), process(2)]);
  letGo.add(process(3));
  expect(letGo.take(true)).toHaveLength(3);
  letGo.add(process(4)); // while the export is on its way
  expect(letGo.resume(process(2))).toEqual(process(2));
  letGo.add({ ...process(2), createdAtMs: 0 });
  letGo.exported();
  expect(letGo.take(true)).toEqual([process(4), process(2)]);
  letGo.exported();
  expect(letGo.take(true)).toEqual([]);
});

test('a cumulative series begins with a point of zero, which comes again until it was exported', async () => {
  const exported = new Exported();
  const attachedAtMs = Date.now() - 1_000;
  let counts = [0, 7];
  const snapshots = () => {
    const all = [{ quantity: 'timer.overrun' }, { quantity: 'timer.lateness' }] as const;
    const series = all.map(({ quantity }, i) => ({ ...SERIES, quantity, histogram: histogram(counts[i] ?? 0) }));
    return [{ pid: 1, name: 'agent', createdAtMs: 0, attachedAtMs, series }];
  };
  const beginnings = new Beginnings(exported);
  const producer = new KernelHistograms({
    snapshots,
    exported,
    beginnings,
    temporality: AggregationTemporality.CUMULATIVE,
  });
  const collect = async () => {
    const { resourceMetrics } = await producer.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics) as ExponentialHistogramMetricData[];
    return metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ endTime, value }) => ({
        name: descriptor.name,
        atMs: hrTimeToMilliseconds(endTime),
        count: value.count,
      })),
    );
  };
  const zero = { name: 'taut.timer.lateness', atMs: attachedAtMs + 1, count: 0 };
  for (let time = 0; time < 2; time++) {
    const [first, second, ...more] = await collect();
    expect([first, second?.count, more]).toEqual([zero, 7, []]);
    expect(second?.atMs).toBeGreaterThan(zero.atMs);
  }
  const [, last] = await collect();
  exported.tell();
  counts = [3, 9];
  // The other series was at zero when the last exported collection was made.
  await until('the clock goes on', () => Date.now() > (last?.atMs ?? 0) + 2);
  expect((await collect()).map(({ name, count }) => [name, count])).toEqual([
    ['taut.timer.overrun', 0],
    ['taut.timer.overrun', 3],
    ['taut.timer.lateness', 9],
  ]);
  expect((await collect())[0]?.atMs).toBe(last?.atMs);
  exported.tell();
  expect((await collect()).map(({ count }) => count)).toEqual([3, 9]);
});
