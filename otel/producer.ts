/** Maps the kernel's histograms to OTLP exponential histograms, bucket for bucket. Pure, behind a MetricProducer. */
import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type ExponentialHistogramMetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { Slices } from '../src/proc/slices.ts';
import { descriptor } from '../src/telemetry/metrics.ts';
import * as semconv from '../src/telemetry/semconv.ts';
import { subtract } from '../src/tracer/arithmetic.ts';
import type {
  ExpHistogram,
  FlagVariant,
  Quantity,
  Series,
  Shed,
  Snapshot,
  TracedProcess,
} from '../src/tracer/series.ts';
import { collection } from './collection.ts';
import { DeltaOf } from './delta.ts';
import type { Exported } from './exported.ts';

/** Converts the kernel's nanoseconds to seconds, as OTLP wants; the buckets are in seconds already. */
export function toExponentialHistogram(h: ExpHistogram): ExponentialHistogram {
  return {
    count: h.count,
    sum: Number(h.sumNs) / 1e9,
    scale: h.scale,
    zeroCount: h.zeroCount,
    positive: { offset: h.offset, bucketCounts: [...h.buckets] },
    negative: { offset: 0, bucketCounts: [] },
    ...(h.minNs === undefined ? {} : { min: Number(h.minNs) / 1e9 }),
    ...(h.maxNs === undefined ? {} : { max: Number(h.maxNs) / 1e9 }),
  };
}

/** The attributes of one agent, or of all agents beyond the limit together. */
function whose(snapshot: Snapshot): Attributes {
  if ('overflow' in snapshot) return { [semconv.ATTR_OTEL_METRIC_OVERFLOW]: true };
  return processAttributes(snapshot);
}

export function processAttributes({ pid, createdAtMs, name }: TracedProcess) {
  return {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_PROCESS_CREATION_TIME]: new Date(createdAtMs).toISOString(),
    [semconv.ATTR_TAUT_AGENT_NAME]: name,
  };
}

/** The attributes of one series. */
export function seriesAttributes(snapshot: Snapshot, series: Series, mode?: string): Attributes {
  return {
    ...whose(snapshot),
    ...(series.source === undefined ? {} : { [semconv.ATTR_TAUT_WAKEUP_SOURCE]: series.source }),
    ...(series.slackClass === undefined ? {} : { [semconv.ATTR_TAUT_TIMER_SLACK_CLASS]: series.slackClass }),
    ...(series.tuned === undefined ? {} : { [semconv.ATTR_TAUT_TUNED]: series.tuned }),
    ...(series.slice === undefined ? {} : { [semconv.ATTR_TAUT_SCHED_SLICE]: series.slice }),
    ...(mode === undefined ? {} : { [semconv.ATTR_TAUT_TRACER_MODE]: mode }),
    ...shedAttributes(series.shed),
    ...flagAttributes(series.flag),
  };
}

function flagAttributes(flag: FlagVariant | undefined): Attributes {
  if (!flag) return {};
  return {
    [semconv.ATTR_FEATURE_FLAG_KEY]: flag.key,
    [semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT]: flag.variant,
  };
}

function shedAttributes(shed: Shed | undefined): Attributes {
  if (!shed) return {};
  const factor = shed.factor > 1 ? { [semconv.ATTR_TAUT_SAMPLING_FACTOR]: shed.factor } : {};
  return shed.detail ? factor : { ...factor, [semconv.ATTR_TAUT_SHED_DETAIL]: true };
}

export interface KernelHistogramsOptions {
  /** Cumulative since each agent's attach; kept by the source. Read one after the other, with pauses for other work. */
  readonly snapshots: () => Iterable<Snapshot>;
  /** The temporality that the exporter asks for: the SDK does not convert the points of a producer. */
  readonly temporality: AggregationTemporality;
  /** If it is given, deltas go on from a collection only when that was exported. */
  readonly exported?: Exported;
  /** How much taut can measure: the attribute `taut.tracer.mode` of every point. */
  readonly mode?: () => string;
}

export class KernelHistograms implements MetricProducer {
  readonly #options: KernelHistogramsOptions;
  readonly #delta: DeltaOf<ExpHistogram>;

  constructor(options: KernelHistogramsOptions) {
    this.#options = options;
    this.#delta = new DeltaOf(subtract, options.exported);
  }

  async collect(): Promise<CollectionResult> {
    const { snapshots } = this.#options;
    return collection((now) => this.#metrics(snapshots(), now));
  }

  async #metrics(snapshots: Iterable<Snapshot>, now: HrTime): Promise<ExponentialHistogramMetricData[]> {
    const byQuantity = new Map<Quantity, DataPoint<ExponentialHistogram>[]>();
    const { temporality } = this.#options;
    const slices = new Slices();
    for (const agent of snapshots) {
      await slices.next();
      for (const series of agent.series) {
        const attributes = seriesAttributes(agent, series, this.#options.mode?.());
        const attachedAt = millisToHrTime(agent.attachedAtMs);
        let point = { startTime: attachedAt, value: series.histogram };
        if (temporality === AggregationTemporality.DELTA)
          point = this.#delta.next(JSON.stringify([agent.attachedAtMs, series.quantity, attributes]), point, now);
        if (point.value.count === 0) continue;
        const points = byQuantity.get(series.quantity) ?? [];
        if (points.length === 0) byQuantity.set(series.quantity, points);
        points.push({
          startTime: point.startTime,
          endTime: now,
          attributes,
          value: toExponentialHistogram(point.value),
        });
      }
    }
    this.#delta.sweep();
    return [...byQuantity].map(([quantity, dataPoints]) => ({
      descriptor: { ...descriptor(`taut.${quantity}`), valueType: ValueType.DOUBLE },
      aggregationTemporality: temporality,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints,
    }));
  }
}
