/** Exports the canary's latency as an exponential histogram: the host's lowest latency, to compare agents with. */
import { type HrTime, ValueType } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { descriptor } from '../src/telemetry/metrics.ts';
import * as semconv from '../src/telemetry/semconv.ts';
import { subtract } from '../src/tracer/arithmetic.ts';
import type { ExpHistogram } from '../src/tracer/series.ts';
import { collection } from './collection.ts';
import { DeltaOf } from './delta.ts';
import type { Exported } from './exported.ts';
import { toExponentialHistogram } from './producer.ts';

export interface CanaryLatencyOptions {
  /** Cumulative since the start; undefined when there is no canary. */
  readonly latency: () => ExpHistogram | undefined;
  readonly mode: () => string;
  readonly temporality: AggregationTemporality;
  readonly exported: Exported;
}

export class CanaryLatency implements MetricProducer {
  readonly #options: CanaryLatencyOptions;
  readonly #delta: DeltaOf<ExpHistogram>;
  readonly #start: HrTime = hrTime();

  constructor(options: CanaryLatencyOptions) {
    this.#options = options;
    this.#delta = new DeltaOf(subtract, options.exported);
  }

  async collect(): Promise<CollectionResult> {
    return collection((now) => {
      const metric = this.#metric(now);
      return metric ? [metric] : [];
    });
  }

  #metric(now: HrTime) {
    const { latency, mode, temporality } = this.#options;
    const histogram = latency();
    if (!histogram) return undefined;
    let point = { startTime: this.#start, value: histogram };
    if (temporality === AggregationTemporality.DELTA) point = this.#delta.next('canary', point, now);
    this.#delta.sweep();
    if (point.value.count === 0) return undefined;
    const attributes = { [semconv.ATTR_TAUT_TRACER_MODE]: mode() };
    const value = toExponentialHistogram(point.value);
    return {
      descriptor: { ...descriptor('taut.canary.latency'), valueType: ValueType.DOUBLE },
      aggregationTemporality: temporality,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM as const,
      dataPoints: [{ startTime: point.startTime, endTime: now, attributes, value }],
    };
  }
}
