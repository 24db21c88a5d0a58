/**
 * The embedded sink: exporters that write OTLP in JSON into files, one request per line, in the format of the
 * collector's OTLP JSON file receiver.
 */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  type ISerializer,
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { LogRecordExporter, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { JsonLines } from './jsonLines.ts';
import { parts } from './metricLines.ts';

class FileExporter<T> {
  readonly #serializer: ISerializer<T, unknown>;
  readonly #file: JsonLines;

  constructor(serializer: ISerializer<T, unknown>, path: string) {
    this.#serializer = serializer;
    this.#file = new JsonLines(path);
  }

  export(items: T, done: (result: ExportResult) => void): void {
    this.#append(items).then(
      () => done({ code: ExportResultCode.SUCCESS }),
      (error: Error) => done({ code: ExportResultCode.FAILED, error }),
    );
  }

  /** The requests that are to be lines of their own. */
  protected requests(items: T): Iterable<T> {
    return [items];
  }

  /** One request after the other, so that only one of them is in memory as text. */
  async #append(items: T): Promise<void> {
    for (const request of this.requests(items)) {
      const line = this.#serializer.serializeRequest(request);
      if (line) await this.#file.append(line);
    }
  }

  forceFlush(): Promise<void> {
    return this.#file.flush();
  }

  shutdown(): Promise<void> {
    return this.#file.flush();
  }
}

export function fileSpanExporter(path: string): SpanExporter {
  return new FileExporter<ReadableSpan[]>(JsonTraceSerializer, path);
}

export function fileLogExporter(path: string): LogRecordExporter {
  return new FileExporter<ReadableLogRecord[]>(JsonLogsSerializer, path);
}

class MetricFileExporter extends FileExporter<ResourceMetrics> {
  readonly #onExported: () => void;

  constructor(path: string, onExported: () => void) {
    super(JsonMetricsSerializer, path);
    this.#onExported = onExported;
  }

  override export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    super.export(metrics, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.#onExported();
      done(result);
    });
  }

  protected override requests(metrics: ResourceMetrics): Iterable<ResourceMetrics> {
    return parts(metrics);
  }
}

/**
 * Cumulative temporality, because this exporter states no preference. A collection without metrics writes no line.
 * @param onExported called when a collection is in the file.
 */
export function fileMetricExporter(path: string, onExported: () => void = () => {}): PushMetricExporter {
  return new MetricFileExporter(path, onExported);
}
