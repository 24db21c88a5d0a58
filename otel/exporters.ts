/** Makes the exporter of each signal for its destination. */
import { join } from 'node:path';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Destination, SignalName } from './environment.ts';
import { fileLogExporter, fileMetricExporter, fileSpanExporter } from './local/exporters.ts';

/** The file into which the embedded sink writes a signal. */
export function sinkFile(stateDir: string, signal: SignalName): string {
  return join(stateDir, 'otlp', `${signal}.jsonl`);
}

/**
 * OTLP exporters read endpoint, headers, compression, timeout and certificates from OTEL_* variables on their own. Each is
 * loaded where it is wanted: the embedded sink needs neither Node's HTTP client nor what encodes protobuf.
 */
export async function spanExporter(to: Destination, stateDir: string): Promise<SpanExporter | undefined> {
  if (to.kind === 'none') return undefined;
  if (to.kind === 'files') return fileSpanExporter(sinkFile(stateDir, 'traces'));
  const { OTLPTraceExporter } =
    to.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

export async function metricExporter(to: Destination, stateDir: string): Promise<PushMetricExporter | undefined> {
  if (to.kind === 'none') return undefined;
  if (to.kind === 'files') return fileMetricExporter(sinkFile(stateDir, 'metrics'));
  const { OTLPMetricExporter } =
    to.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-metrics-otlp-http')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  return new OTLPMetricExporter();
}

export async function logExporter(to: Destination, stateDir: string): Promise<LogRecordExporter | undefined> {
  if (to.kind === 'none') return undefined;
  if (to.kind === 'files') return fileLogExporter(sinkFile(stateDir, 'logs'));
  const { OTLPLogExporter } =
    to.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-logs-otlp-http')
      : await import('@opentelemetry/exporter-logs-otlp-proto');
  return new OTLPLogExporter();
}
