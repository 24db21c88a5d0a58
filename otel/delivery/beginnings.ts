/**
 * Makes the point of zero with which each cumulative series begins. A backend computes an increase from two points, so
 * without it a series counts for nothing until its second point, and an agent that is in one export only for nothing at
 * all. The points of zero are in requests of their own: no request has two points of one series.
 */
import type { HrTime } from '@opentelemetry/api';
import { hrTimeToMilliseconds, millisToHrTime } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

export class Beginnings {
  /** The series of the last collection, and its time: a series that it did not have was still at zero. */
  #last: ReadonlySet<string> = new Set();
  #lastMs = 0;
  #seen = new Set<string>();
  #seenMs = 0;

  /** @returns the points of zero of those series in a part of a collection that the last collection did not have. */
  of({ resource, scopeMetrics }: ResourceMetrics): ResourceMetrics {
    const begun = scopeMetrics.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.flatMap((metric) => this.#begin(metric)),
    }));
    return { resource, scopeMetrics: begun.filter(({ metrics }) => metrics.length > 0) };
  }

  /** Call after each collection: forgets series that were not in it. */
  sweep(): void {
    this.#last = this.#seen;
    this.#lastMs = this.#seenMs;
    this.#seen = new Set();
  }

  #begin(metric: MetricData): MetricData[] {
    if (!beginsAtZero(metric)) return [];
    const zeros: DataPoint<unknown>[] = [];
    for (const point of metric.dataPoints as DataPoint<unknown>[]) {
      this.#seenMs = Math.max(this.#seenMs, hrTimeToMilliseconds(point.endTime));
      const key = keyOf(metric.descriptor.name, point);
      this.#seen.add(key);
      const time = this.#last.has(key) ? undefined : zeroTime(point, this.#lastMs);
      if (time) zeros.push({ ...point, endTime: time, value: zeroOf(metric, point.value) });
    }
    return zeros.length > 0 ? [{ ...metric, dataPoints: zeros } as MetricData] : [];
  }
}

/** What can also fall is not added up by an increase, and a delta is an increase. */
function beginsAtZero(metric: MetricData): boolean {
  if (metric.aggregationTemporality !== AggregationTemporality.CUMULATIVE) return false;
  return metric.dataPointType === DataPointType.SUM ? metric.isMonotonic : metric.dataPointType !== DataPointType.GAUGE;
}

function keyOf(name: string, { startTime: [seconds, ns], attributes }: DataPoint<unknown>): string {
  return `${name} ${seconds} ${ns} ${JSON.stringify(attributes)}`;
}

/** Undefined when there is no time between. A point at the start itself would mean that the start is not known. */
function zeroTime({ startTime, endTime }: DataPoint<unknown>, lastMs: number): HrTime | undefined {
  const ms = Math.max(hrTimeToMilliseconds(startTime) + 1, lastMs);
  return ms < hrTimeToMilliseconds(endTime) ? millisToHrTime(ms) : undefined;
}

function zeroOf({ dataPointType }: MetricData, value: unknown): unknown {
  if (dataPointType === DataPointType.SUM) return 0;
  const empty = { count: 0, sum: 0 };
  if (dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    const none = { offset: 0, bucketCounts: [] };
    return { ...empty, scale: (value as { scale: number }).scale, zeroCount: 0, positive: none, negative: none };
  }
  const { boundaries, counts } = (value as { buckets: { boundaries: number[]; counts: number[] } }).buckets;
  return { ...empty, buckets: { boundaries, counts: counts.map(() => 0) } };
}
