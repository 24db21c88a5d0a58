/** Counts what an exporter does, by OpenTelemetry's conventions for SDKs: the SDK counts for its own exporters only. */
import type { Attributes } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { tautMeter } from '../src/telemetry/scope.ts';
import * as semconv from '../src/telemetry/semconv.ts';
import type { Destination, SignalName } from './environment.ts';
import type { Exporter } from './reportFailures.ts';

/** What is counted of a signal: the word in the metrics' names, and their unit. */
const ITEM = {
  traces: ['span', '{span}'],
  metrics: ['metric_data_point', '{data_point}'],
  logs: ['log', '{log_record}'],
} as const;

/** Makes an exporter count its exports, those under way, and how long they take. Call it when a meter can be had. */
export function countExports(signal: SignalName, to: Destination, exporter: Exporter<unknown>): void {
  const about = componentOf(signal, to);
  const send = exporter.export.bind(exporter);
  const { inflight, exported, duration } = instruments(signal);
  exporter.export = (items, done) => {
    const [count, start] = [countOf(items), performance.now()];
    inflight.add(count, about);
    send(items, (result) => {
      const by = { ...about, ...failureOf(result) };
      inflight.add(-count, about);
      exported.add(count, by);
      duration.record((performance.now() - start) / 1_000, by);
      done(result);
    });
  };
}

function instruments(signal: SignalName) {
  const [item, unit] = ITEM[signal];
  const meter = tautMeter();
  const name = (what: string) => `otel.sdk.exporter.${item}.${what}`;
  const text = { inflight: 'passed to the exporter and not exported yet', exported: 'whose export has finished' };
  return {
    inflight: meter.createUpDownCounter(name('inflight'), { unit, description: `Items ${text.inflight}.` }),
    exported: meter.createCounter(name('exported'), { unit, description: `Items ${text.exported}.` }),
    duration: meter.createHistogram('otel.sdk.exporter.operation.duration', {
      unit: 's',
      description: 'How long exports took.',
      advice: { explicitBucketBoundaries: [] },
    }),
  };
}

function componentOf(signal: SignalName, to: Destination): Attributes {
  const item = signal === 'metrics' ? 'metric' : ITEM[signal][0];
  if (to.kind !== 'otlp') return component(`taut_file_${item}_exporter`);
  const { hostname, port, protocol } = new URL(to.address);
  return {
    ...component(`otlp_http${to.protocol === 'http/json' ? '_json' : ''}_${item}_exporter`),
    [semconv.ATTR_SERVER_ADDRESS]: hostname,
    [semconv.ATTR_SERVER_PORT]: Number(port) || (protocol === 'https:' ? 443 : 80),
  };
}

/** There is one of each. */
function component(type: string): Attributes {
  return { [semconv.ATTR_OTEL_COMPONENT_TYPE]: type, [semconv.ATTR_OTEL_COMPONENT_NAME]: `${type}/0` };
}

function failureOf({ code, error }: ExportResult): Attributes {
  if (code === ExportResultCode.SUCCESS) return {};
  const { code: known } = (error?.cause ?? error ?? {}) as NodeJS.ErrnoException;
  return { [semconv.ATTR_ERROR_TYPE]: typeof known === 'string' ? known : 'failed' };
}

/** Spans, points or log records. */
function countOf(items: unknown): number {
  if (Array.isArray(items)) return items.length;
  const { scopeMetrics } = items as ResourceMetrics;
  return scopeMetrics.flatMap(({ metrics }) => metrics).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
}
