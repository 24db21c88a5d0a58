/** Exports the sums from schedstat for each agent. An agent that has ended is in one more collection. */
import { type HrTime, ValueType } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { descriptor, METRICS, metricsFrom } from '../src/telemetry/metrics.ts';
import * as semconv from '../src/telemetry/semconv.ts';
import type { RunQueueTime } from '../src/tracer/series.ts';
import { collection } from './collection.ts';
import { DeltaOf } from './delta.ts';
import type { Exported } from './exported.ts';
import { processAttributes } from './producer.ts';

export interface RunQueueTimesOptions {
  /** Cumulative since each agent's attach; kept by the source. */
  readonly times: () => readonly RunQueueTime[];
  /** The temporality that the exporter asks for: the SDK does not convert the points of a producer. */
  readonly temporality: AggregationTemporality;
  /** If it is given, deltas go on from a collection only when that was exported. */
  readonly exported?: Exported;
  readonly mode?: () => string;
}

type SchedstatName = ReturnType<typeof metricsFrom<'schedstat'>>[number];

export class RunQueueTimes implements MetricProducer {
  readonly #options: RunQueueTimesOptions;
  readonly #delta: DeltaOf<number>;

  constructor(options: RunQueueTimesOptions) {
    this.#options = options;
    this.#delta = new DeltaOf<number>((later, earlier) => later - earlier, options.exported);
  }

  async collect(): Promise<CollectionResult> {
    const { times } = this.#options;
    return collection((now) => {
      const all = times();
      const metrics = metricsFrom('schedstat').map((name) => this.#sum(name, all, now));
      this.#delta.sweep();
      return metrics.filter(({ dataPoints }) => dataPoints.length > 0);
    });
  }

  #sum(name: SchedstatName, times: readonly RunQueueTime[], now: HrTime): MetricData {
    const { temporality, mode } = this.#options;
    const isDelta = temporality === AggregationTemporality.DELTA;
    const dataPoints = times.map((time) => {
      const attributes = {
        ...processAttributes(time),
        ...(mode === undefined ? {} : { [semconv.ATTR_TAUT_TRACER_MODE]: mode() }),
      };
      const total = { startTime: millisToHrTime(time.attachedAtMs), value: METRICS[name].read(time) };
      const key = JSON.stringify([name, time.attachedAtMs, attributes]);
      return { ...(isDelta ? this.#delta.next(key, total, now) : total), endTime: now, attributes };
    });
    return {
      descriptor: { ...descriptor(name), valueType: ValueType.DOUBLE },
      aggregationTemporality: temporality,
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints,
    };
  }
}
