/** Makes the exporter of each signal for its destination. */
import { join } from 'node:path';
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Destination, SignalName } from './environment.ts';
import { fileLogExporter, fileMetricExporter, fileSpanExporter } from './local/exporters.ts';

/** The file into which the embedded sink writes a signal. */
export function sinkFile(stateDir: string, signal: SignalName): string {
  return join(stateDir, 'otlp', `${signal}.jsonl`);
}

/** OTLP exporters read endpoint, headers, compression, timeout and certificates from OTEL_* variables on their own. */
export function spanExporter(to: Destination, stateDir: string): SpanExporter | undefined {
  if (to.kind === 'none') return undefined;
  if (to.kind === 'files') return fileSpanExporter(sinkFile(stateDir, 'traces'));
  return to.protocol === 'http/json' ? new JsonTraceExporter() : new ProtobufTraceExporter();
}

export function metricExporter(to: Destination, stateDir: string): PushMetricExporter | undefined {
  if (to.kind === 'none') return undefined;
  if (to.kind === 'files') return fileMetricExporter(sinkFile(stateDir, 'metrics'));
  return to.protocol === 'http/json' ? new JsonMetricExporter() : new ProtobufMetricExporter();
}

export function logExporter(to: Destination, stateDir: string): LogRecordExporter | undefined {
  if (to.kind === 'none') return undefined;
  if (to.kind === 'files') return fileLogExporter(sinkFile(stateDir, 'logs'));
  return to.protocol === 'http/json' ? new JsonLogExporter() : new ProtobufLogExporter();
}
