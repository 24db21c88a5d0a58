/**
 * The SDK's exporters over a `Delivery`, one for each signal: their own transport repeats a request in memory, can't be
 * stopped, and does not tell what was rejected.
 */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { AggregationTemporalityPreference, OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ISerializer } from '@opentelemetry/otlp-transformer';
import type { LogRecordExporter, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  type AggregationOption,
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Transport } from '../environment/transport.ts';
import { oneOf } from '../environment/values.ts';
import { AGGREGATIONS, TEMPORALITIES } from '../environment/variables.ts';
import type { Destination, Env, SignalName } from '../environment.ts';
import { parts } from '../local/metricLines.ts';
import { TOLD } from '../sayRarely.ts';
import { Beginnings } from './beginnings.ts';
import { Delivery, type DeliveryOptions, type Outcome, type Parcel } from './delivery.ts';
import { createPost } from './post.ts';
import type { Waiting } from './queue.ts';
import type { Format } from './request.ts';
import { SERIALIZERS } from './serializers.ts';

type Otlp = Extract<Destination, { kind: 'otlp' }>;
export type Common = Pick<DeliveryOptions, 'spool' | 'limit' | 'where' | 'say'> & { readonly transport: Transport };

/** Most points of a request: to serialize so many takes some ten milliseconds, in which nothing else has its turn. */
const MOST_POINTS = 200;

/** @param mostMs a request may take so long, if the variables do not say less. */
export function createDelivery(
  signal: SignalName,
  to: Otlp,
  { transport, ...common }: Common,
  mostMs = Number.POSITIVE_INFINITY,
): Delivery {
  const timeoutMs = Math.min(transport.timeoutMs, mostMs);
  const post = createPost(signal, { ...transport, address: to.address, timeoutMs });
  return new Delivery({ ...common, signal, post });
}

function formatOf({ protocol }: Otlp): Format {
  return protocol === 'http/json' ? 'json' : 'pb';
}

function parcel<T>(signal: SignalName, to: Otlp, content: T, items: number): Parcel {
  const format = formatOf(to);
  return {
    items,
    body: () => {
      const bytes = (SERIALIZERS[format][signal] as ISerializer<T, unknown>).serializeRequest(content);
      if (!bytes) throw new Error('it can not be serialized');
      return { format, bytes };
    },
  };
}

interface ItemExporter<T> {
  export(items: T[], done: (result: ExportResult) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * The SDK's exporter of spans or log records, with a delivery in the place of its transport. They are rare, and each is told
 * once, so they are on disk before they are sent.
 */
function itemExporter<T>(
  SdkExporter: new () => ItemExporter<T>,
  signal: SignalName,
  to: Otlp,
  delivery: Delivery,
): ItemExporter<T> {
  return new (class extends SdkExporter {
    override export(items: T[], done: (result: ExportResult) => void): void {
      const sent = delivery.put(parcel(signal, to, items, items.length), true);
      void sent.then(({ kind }) => done(resultOf(kind !== 'lost')));
    }

    override forceFlush(): Promise<void> {
      return delivery.flushed();
    }

    override shutdown(): Promise<void> {
      return delivery.end();
    }
  })();
}

export function spanExporter(to: Otlp, delivery: Delivery): SpanExporter {
  return itemExporter<ReadableSpan>(OTLPTraceExporter, 'traces', to, delivery);
}

export function logExporter(to: Otlp, delivery: Delivery): LogRecordExporter {
  return itemExporter<ReadableLogRecord>(OTLPLogExporter, 'logs', to, delivery);
}

/**
 * Where all points are cumulative, a collection is sent at once, and waits only if that fails; a newer one has all that an
 * older one has, so just the newest waits. From then on, and always where a point is a delta, which no later collection
 * tells again, a collection is on disk before it is sent: taut may be killed while a backend is silent.
 */
export class MetricDelivery extends OTLPMetricExporter {
  readonly #to: Otlp;
  readonly #delivery: Delivery;
  readonly #isCumulative: boolean;
  readonly #onExported: () => void;
  readonly #beginnings = new Beginnings();
  #superfluous: Waiting[] = [];

  /** @param onExported called when the points of a collection need not be in another one. */
  constructor(to: Otlp, delivery: Delivery, env: Env, onExported: () => void) {
    super(preferences(env));
    this.#to = to;
    this.#delivery = delivery;
    this.#onExported = onExported;
    const kinds = [InstrumentType.COUNTER, InstrumentType.OBSERVABLE_COUNTER, InstrumentType.HISTOGRAM];
    const isCumulative = (k: InstrumentType) =>
      this.selectAggregationTemporality(k) === AggregationTemporality.CUMULATIVE;
    this.#isCumulative = kinds.every(isCumulative);
  }

  override export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    void this.#send(metrics).then((isExported) => {
      if (isExported) this.#onExported();
      done(resultOf(isExported));
    });
  }

  async #send(metrics: ResourceMetrics): Promise<boolean> {
    const older = this.#superfluous;
    for (const one of older) one.isSuperfluous = true;
    const ahead = !this.#isCumulative || this.#delivery.isBehind;
    const outcomes: Outcome[] = [];
    for (const part of parts(metrics, MOST_POINTS)) {
      // No later collection has these: they are not among the superfluous.
      const zeros = this.#beginnings.of(part);
      if (zeros.scopeMetrics.length > 0) await this.#put(zeros, ahead);
      outcomes.push(await this.#put(part, ahead));
    }
    this.#beginnings.sweep();
    if (this.#isCumulative) this.#superfluous = [...this.#replace(older, outcomes), ...waitingOf(outcomes)];
    // What waits may still be lost; a cumulative point then comes again, and a delta can't without being counted twice.
    if (this.#isCumulative) return outcomes.every(({ kind }) => kind === 'settled');
    return outcomes.length === 0 || outcomes.some(({ kind }) => kind !== 'lost');
  }

  /** What is on disk stays there until all that is newer is safe as well. @returns what of the older is left. */
  #replace(older: readonly Waiting[], newer: readonly Outcome[]): Waiting[] {
    const isSafe = !waitingOf(newer).some(({ isInMemory }) => isInMemory);
    const kept = isSafe ? [] : older.filter(({ isInMemory }) => !isInMemory);
    return [...kept, ...this.#delivery.withdraw(older.filter((one) => !kept.includes(one)))];
  }

  #put(part: ResourceMetrics, ahead: boolean): Promise<Outcome> {
    return this.#delivery.put(parcel('metrics', this.#to, part, pointsOf(part)), ahead);
  }

  override forceFlush(): Promise<void> {
    return this.#delivery.flushed();
  }

  override shutdown(): Promise<void> {
    return this.#delivery.end();
  }
}

const PREFERENCES = {
  cumulative: AggregationTemporalityPreference.CUMULATIVE,
  delta: AggregationTemporalityPreference.DELTA,
  lowmemory: AggregationTemporalityPreference.LOWMEMORY,
} as const;

function preferences(env: Env) {
  const temporality = oneOf(env, 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', TEMPORALITIES) ?? 'cumulative';
  const histograms = oneOf(env, 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', AGGREGATIONS);
  const isExponential = histograms === 'base2_exponential_bucket_histogram';
  return {
    temporalityPreference: PREFERENCES[temporality],
    aggregationPreference: (kind: InstrumentType): AggregationOption => ({
      type:
        kind === InstrumentType.HISTOGRAM && isExponential
          ? AggregationType.EXPONENTIAL_HISTOGRAM
          : AggregationType.DEFAULT,
    }),
  };
}

function waitingOf(outcomes: readonly Outcome[]): Waiting[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'kept' ? [outcome.waiting] : []));
}

function pointsOf({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics.flatMap(({ metrics }) => metrics).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
}

function resultOf(isExported: boolean): ExportResult {
  return isExported ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error: new Error(TOLD) };
}
