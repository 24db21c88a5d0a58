/** What exporters do is counted by OpenTelemetry's conventions for SDKs. */
import { metrics } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { countExports } from '../../otel/health.ts';
import { reportFailures } from '../../otel/reportFailures.ts';

test('what an exporter handed over, what it could not, and what is under way', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const waiting: ((result: ExportResult) => void)[] = [];
  const spans = { export: (_: unknown, done: (result: ExportResult) => void) => void waiting.push(done) };
  reportFailures(spans, 'traces into /tmp', () => {});
  countExports('traces', { kind: 'files' }, spans);
  for (const n of [3, 2, 4]) spans.export(Array.from({ length: n }), () => {});
  waiting.shift()?.({ code: ExportResultCode.SUCCESS });
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  waiting.shift()?.({ code: ExportResultCode.FAILED, error: full });
  await provider.forceFlush();
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const about = {
    'otel.component.type': 'taut_file_span_exporter',
    'otel.component.name': 'taut_file_span_exporter/0',
  };
  const points = (name: string) =>
    all
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints.map(({ value, attributes }) => ({ value, attributes })));
  expect(points('otel.sdk.exporter.span.inflight')).toEqual([{ value: 4, attributes: about }]);
  expect(points('otel.sdk.exporter.span.exported')).toEqual([
    { value: 3, attributes: about },
    { value: 2, attributes: { ...about, 'error.type': 'ENOSPC' } },
  ]);
  expect(points('otel.sdk.exporter.operation.duration')).toMatchObject([
    { value: { count: 1 } },
    { value: { count: 1 } },
  ]);
  await provider.shutdown();
  metrics.disable();
});

test('a backend is named by its host and port, and nothing else of its address', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const logs = {
    export: (_: unknown, done: (result: ExportResult) => void) => done({ code: ExportResultCode.SUCCESS }),
  };
  const endpoint = 'https://user:secret@collector/v1/logs?token=secret';
  countExports('logs', { kind: 'otlp', protocol: 'http/json', endpoint, address: endpoint }, logs);
  logs.export([1], () => {});
  await provider.forceFlush();
  const [{ scopeMetrics = [] } = {}] = exporter.getMetrics();
  const [point] = scopeMetrics.flatMap((scope) =>
    scope.metrics.flatMap(({ dataPoints }) => dataPoints as { attributes: object }[]),
  );
  expect(point?.attributes).toEqual({
    'otel.component.type': 'otlp_http_json_log_exporter',
    'otel.component.name': 'otlp_http_json_log_exporter/0',
    'server.address': 'collector',
    'server.port': 443,
  });
  await provider.shutdown();
  metrics.disable();
});
