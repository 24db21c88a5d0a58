/** The SDK's exporters over a `Delivery`, one for each signal. */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import {
  type ISerializer,
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { LogRecordExporter, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InstrumentType,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Destination, SignalName } from '../environment.ts';
import { parts } from '../local/metricLines.ts';
import { TOLD } from '../sayRarely.ts';
import { Delivery, type DeliveryOptions, type Outcome, type Parcel } from './delivery.ts';
import { createPost } from './post.ts';
import { toProtobuf } from './protobuf.ts';
import type { Waiting } from './queue.ts';

type Otlp = Extract<Destination, { kind: 'otlp' }>;
export type Common = Pick<DeliveryOptions, 'spool' | 'limit' | 'where' | 'say'>;

const JSON_OF = { traces: JsonTraceSerializer, metrics: JsonMetricsSerializer, logs: JsonLogsSerializer };
const PROTOBUF_OF = {
  traces: ProtobufTraceSerializer,
  metrics: ProtobufMetricsSerializer,
  logs: ProtobufLogsSerializer,
};

/** @param mostMs a request may take so long, if the variables do not say less. */
export function createDelivery(signal: SignalName, { protocol }: Otlp, common: Common, mostMs = 60_000): Delivery {
  const isJson = protocol === 'http/json';
  const type = isJson ? 'application/json' : 'application/x-protobuf';
  const headers = { 'Content-Type': type, 'User-Agent': 'taut' };
  const settings = convertLegacyHttpOptions({}, signal.toUpperCase(), `v1/${signal}`, headers);
  const post = createPost({ ...settings, timeoutMillis: Math.min(settings.timeoutMillis, mostMs) });
  return new Delivery({
    ...common,
    signal,
    post,
    encode: isJson ? (line) => line : (line) => toProtobuf(signal, line),
  });
}

function parcel<T>(signal: SignalName, { protocol }: Otlp, content: T, items: number): Parcel {
  const serialize = (by: unknown) => {
    const bytes = (by as ISerializer<T, unknown>).serializeRequest(content);
    if (!bytes) throw new Error('it can not be serialized');
    return bytes;
  };
  return {
    items,
    line: () => serialize(JSON_OF[signal]),
    body: () => serialize((protocol === 'http/json' ? JSON_OF : PROTOBUF_OF)[signal]),
  };
}

/** Spans or log records: they are rare, and each is told once, so they are on disk before they are sent. */
class ItemExporter<T> {
  readonly #delivery: Delivery;
  readonly #parcel: (items: T[]) => Parcel;

  constructor(delivery: Delivery, of: (items: T[]) => Parcel) {
    this.#delivery = delivery;
    this.#parcel = of;
  }

  export(items: T[], done: (result: ExportResult) => void): void {
    void this.#delivery.put(this.#parcel(items), true).then(({ kind }) => done(resultOf(kind !== 'lost')));
  }

  forceFlush(): Promise<void> {
    return this.#delivery.flushed();
  }

  shutdown(): Promise<void> {
    return this.#delivery.end();
  }
}

export function spanExporter(to: Otlp, delivery: Delivery): SpanExporter {
  return new ItemExporter<ReadableSpan>(delivery, (spans) => parcel('traces', to, spans, spans.length));
}

export function logExporter(to: Otlp, delivery: Delivery): LogRecordExporter {
  return new ItemExporter<ReadableLogRecord>(delivery, (records) => parcel('logs', to, records, records.length));
}

/**
 * A collection is sent at once, and waits only if that fails. Where all points are cumulative, a newer collection has
 * all that an older one has, so just the newest waits.
 */
export class MetricDelivery implements PushMetricExporter {
  readonly #to: Otlp;
  readonly #delivery: Delivery;
  /** Reads the temporality that the variables ask for; it sends nothing. */
  readonly #preference = new OTLPMetricExporter();
  readonly #isCumulative: boolean;
  readonly #onExported: () => void;
  #superfluous: Waiting[] = [];

  /** @param onExported called when the points of a collection need not be in another one. */
  constructor(to: Otlp, delivery: Delivery, onExported: () => void) {
    this.#to = to;
    this.#delivery = delivery;
    this.#onExported = onExported;
    const kinds = [InstrumentType.COUNTER, InstrumentType.OBSERVABLE_COUNTER, InstrumentType.HISTOGRAM];
    const isCumulative = (k: InstrumentType) =>
      this.selectAggregationTemporality(k) === AggregationTemporality.CUMULATIVE;
    this.#isCumulative = kinds.every(isCumulative);
  }

  selectAggregationTemporality(kind: InstrumentType): AggregationTemporality {
    return this.#preference.selectAggregationTemporality(kind);
  }

  export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    void this.#send(metrics).then((isExported) => {
      if (isExported) this.#onExported();
      done(resultOf(isExported));
    });
  }

  async #send(metrics: ResourceMetrics): Promise<boolean> {
    if (this.#isCumulative) this.#delivery.withdraw(this.#superfluous);
    const outcomes: Outcome[] = [];
    for (const part of parts(metrics))
      outcomes.push(await this.#delivery.put(parcel('metrics', this.#to, part, pointsOf(part)), false));
    this.#superfluous = outcomes.flatMap((outcome) => (outcome.kind === 'kept' ? [outcome.waiting] : []));
    // What waits may still be lost; a cumulative point then comes again, and a delta can't without being counted twice.
    if (this.#isCumulative) return outcomes.every(({ kind }) => kind === 'settled');
    return outcomes.length === 0 || outcomes.some(({ kind }) => kind !== 'lost');
  }

  forceFlush(): Promise<void> {
    return this.#delivery.flushed();
  }

  shutdown(): Promise<void> {
    return this.#delivery.end();
  }
}

function pointsOf({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics.flatMap(({ metrics }) => metrics).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
}

function resultOf(isExported: boolean): ExportResult {
  return isExported ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error: new Error(TOLD) };
}
