/** The canary's latency as an exponential histogram of its own: the host's floor, beside what the agents feel. */
import { type HrTime, ValueType } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { ExpHistogram } from '../src/tracer/series.ts';
import { DeltaOf } from './delta.ts';
import { toExponentialHistogram } from './producer.ts';
import * as semconv from './semconv.ts';

export interface CanaryLatencyOptions {
  /** Cumulative since the start; undefined where there is no canary. */
  readonly latency: () => ExpHistogram | undefined;
  readonly mode: () => string;
  readonly temporality: AggregationTemporality;
  readonly version: string;
}

export class CanaryLatency implements MetricProducer {
  readonly #options: CanaryLatencyOptions;
  readonly #delta = new DeltaOf();
  readonly #start: HrTime = hrTime();

  constructor(options: CanaryLatencyOptions) {
    this.#options = options;
  }

  /** Never rejects, as the others would not be collected then. */
  async collect(): Promise<CollectionResult> {
    const resource = emptyResource();
    try {
      const metric = this.#metric(hrTime());
      const scope = { name: semconv.SCOPE_NAME, version: this.#options.version };
      const scopeMetrics = metric ? [{ scope, metrics: [metric] }] : [];
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
    } catch (error) {
      return { resourceMetrics: { resource, scopeMetrics: [] }, errors: [error] };
    }
  }

  #metric(now: HrTime) {
    const { latency, mode, temporality } = this.#options;
    const histogram = latency();
    if (!histogram) return undefined;
    let point = { startTime: this.#start, histogram };
    if (temporality === AggregationTemporality.DELTA) point = this.#delta.next('canary', point, now);
    this.#delta.sweep();
    if (point.histogram.count === 0) return undefined;
    const attributes = { [semconv.ATTR_TAUT_TRACER_MODE]: mode() };
    const value = toExponentialHistogram(point.histogram);
    return {
      descriptor: { ...semconv.METRIC_TAUT_CANARY_LATENCY, valueType: ValueType.DOUBLE },
      aggregationTemporality: temporality,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM as const,
      dataPoints: [{ startTime: point.startTime, endTime: now, attributes, value }],
    };
  }
}
