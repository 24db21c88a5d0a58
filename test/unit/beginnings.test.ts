/** Each cumulative series begins with a point of zero, so that an increase has two points of an agent that was short. */
import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { Beginnings } from '../../otel/delivery/beginnings.ts';

interface Point {
  readonly pid: number;
  readonly start: number;
  readonly end: number;
  readonly value?: unknown;
}

const HISTOGRAM = {
  ...{ count: 3, sum: 1.5, scale: 3, zeroCount: 1, min: 0, max: 1 },
  ...{ positive: { offset: -7, bucketCounts: [2] }, negative: { offset: 0, bucketCounts: [] } },
};

const metric = (points: readonly Point[], more: object = {}) =>
  ({
    descriptor: { name: 'm', description: '', unit: 's', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
    dataPoints: points.map(({ pid, start, end, value = HISTOGRAM }) => ({
      ...{ startTime: [start, 0], endTime: [end, 0], attributes: { pid }, value },
    })),
    ...more,
  }) as unknown as MetricData;

const collection = (...metrics: MetricData[]): ResourceMetrics => ({
  ...{ resource: resourceFromAttributes({}), scopeMetrics: [{ scope: { name: 'taut' }, metrics }] },
});

/** The process and the time of each point of zero: seconds, milliseconds. */
function zeros(beginnings: Beginnings, ...metrics: MetricData[]) {
  const { scopeMetrics } = beginnings.of(collection(...metrics));
  beginnings.sweep();
  return scopeMetrics.flatMap(({ metrics: all }) =>
    all.flatMap(({ dataPoints }) =>
      dataPoints.map(({ attributes, startTime, endTime }) => [attributes['pid'], startTime[0], ...endTime]),
    ),
  );
}

const MS = 1_000_000;

test('a series has one point of zero: just after its start, or at the last collection that did not have it', () => {
  const beginnings = new Beginnings();
  expect(zeros(beginnings, metric([{ pid: 1, start: 10, end: 20 }]))).toEqual([[1, 10, 10, MS]]);
  const second = metric([1, 2, 3].map((pid) => ({ pid, start: pid === 3 ? 25 : 10, end: 30 })));
  expect(zeros(beginnings, second)).toEqual([
    [2, 10, 20, 0],
    [3, 25, 25, MS],
  ]);
  // It has ended; another process with its id has a start of its own.
  expect(zeros(beginnings, metric([{ pid: 2, start: 10, end: 40 }]))).toEqual([]);
  expect(zeros(beginnings, metric([{ pid: 1, start: 45, end: 50 }]))).toEqual([[1, 45, 45, MS]]);
});

test('a series that begins with the collection has no time for it', () => {
  expect(zeros(new Beginnings(), metric([{ pid: 1, start: 20, end: 20 }]))).toEqual([]);
});

test('what was collected in parts is one collection', () => {
  const beginnings = new Beginnings();
  beginnings.of(collection(metric([{ pid: 1, start: 10, end: 20 }])));
  expect(zeros(beginnings, metric([{ pid: 2, start: 10, end: 20 }]))).toEqual([[2, 10, 10, MS]]);
  expect(zeros(beginnings, metric([1, 2].map((pid) => ({ pid, start: 10, end: 30 }))))).toEqual([]);
});

test('it is a zero of its kind, and only of what adds up', () => {
  const at = { pid: 1, start: 10, end: 20 };
  const sum = { dataPointType: DataPointType.SUM, isMonotonic: true };
  const buckets = { boundaries: [1, 2], counts: [3, 0, 4] };
  const { scopeMetrics } = new Beginnings().of(
    collection(
      metric([at]),
      metric([{ ...at, value: 7 }], sum),
      metric([{ ...at, value: { buckets, count: 7, sum: 9 } }], { dataPointType: DataPointType.HISTOGRAM }),
      metric([{ ...at, value: 7 }], { ...sum, isMonotonic: false }),
      metric([{ ...at, value: 7 }], { dataPointType: DataPointType.GAUGE }),
      metric([at], { aggregationTemporality: AggregationTemporality.DELTA }),
    ),
  );
  const none = { offset: 0, bucketCounts: [] };
  expect(scopeMetrics[0]?.metrics.map(({ dataPoints: [point] }) => point?.value)).toEqual([
    { count: 0, sum: 0, scale: 3, zeroCount: 0, positive: none, negative: none },
    0,
    { count: 0, sum: 0, buckets: { boundaries: [1, 2], counts: [0, 0, 0] } },
  ]);
});
