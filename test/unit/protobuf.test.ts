/** What waited in the spool as JSON is sent as the very bytes that the SDK would have sent. */
import { SeverityNumber, ValueType } from '@opentelemetry/api';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
} from '@opentelemetry/sdk-logs';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { toProtobuf } from '../../otel/delivery/protobuf.ts';
import type { SignalName } from '../../otel/environment.ts';

const resource = resourceFromAttributes({ 'service.name': 'taut', 'host.cpus': 2, 'host.load': 0.5, ok: false });
const ATTRIBUTES = {
  text: 'ä→b',
  empty: '',
  yes: true,
  no: false,
  whole: -7,
  big: 2 ** 52 + 1,
  part: 0.1,
  list: ['a', 'b'],
};

/** @param line of the SDK's serializer for JSON, and the bytes of that for protobuf. */
function same(signal: SignalName, line: Uint8Array | undefined, bytes: Uint8Array | undefined): void {
  const hex = (of: Uint8Array | undefined) => Buffer.from(of ?? []).toString('hex');
  expect(hex(toProtobuf(signal, line ?? new Uint8Array()))).toBe(hex(bytes));
}

test('spans with parents, events, links and a status', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('taut', '1.2.3');
  const root = tracer.startSpan('attach', { attributes: ATTRIBUTES, kind: 2 });
  const links = [{ context: root.spanContext(), attributes: { a: 1 } }];
  const other = tracer.startSpan('x'.repeat(300), { links });
  other.addEvent('seen', { n: 1 }).setStatus({ code: 2, message: 'no' }).end();
  root.end();
  await provider.forceFlush();
  const spans = exporter.getFinishedSpans();
  expect(spans).toHaveLength(2);
  same('traces', JsonTraceSerializer.serializeRequest(spans), ProtobufTraceSerializer.serializeRequest(spans));
});

test('log records with a name, a severity and a body', async () => {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger('taut');
  const attributes = ATTRIBUTES;
  logger.emit({
    eventName: 'taut.drift',
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: 'b',
    attributes,
  });
  logger.emit({ body: { nested: [1, { deep: 'x' }] } });
  await provider.forceFlush();
  const records: ReadableLogRecord[] = exporter.getFinishedLogRecords();
  expect(records).toHaveLength(2);
  same('logs', JsonLogsSerializer.serializeRequest(records), ProtobufLogsSerializer.serializeRequest(records));
});

test('sums, gauges and both kinds of histograms', () => {
  const of = (name: string, valueType: ValueType) => ({ name, description: name && 'what', unit: 's', valueType });
  const point = <T>(value: T) => ({
    startTime: [1_790_000_000, 5] as [number, number],
    endTime: [1_790_000_009, 999_999_999] as [number, number],
    attributes: ATTRIBUTES,
    value,
  });
  const exponential = (offset: number, bucketCounts: number[]) => ({
    ...{ count: 2 ** 40, sum: 1.5, scale: 3, zeroCount: 3, min: 0, max: 2 },
    positive: { offset, bucketCounts },
    negative: { offset: 0, bucketCounts: [] },
  });
  const cumulative = { aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const metrics = [
    {
      ...cumulative,
      descriptor: of('a', ValueType.INT),
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: [point(7), point(-7)],
    },
    {
      ...cumulative,
      descriptor: of('b', ValueType.DOUBLE),
      dataPointType: DataPointType.SUM,
      isMonotonic: false,
      dataPoints: [point(0.1)],
    },
    {
      ...cumulative,
      descriptor: of('c', ValueType.DOUBLE),
      dataPointType: DataPointType.GAUGE,
      dataPoints: [point(0)],
    },
    {
      ...{ aggregationTemporality: AggregationTemporality.DELTA, descriptor: of('d', ValueType.DOUBLE) },
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: [point(exponential(-120, [1, 0, 2 ** 33])), point(exponential(5, Array<number>(321).fill(200)))],
    },
    {
      ...{ ...cumulative, descriptor: of('e', ValueType.DOUBLE), dataPointType: DataPointType.HISTOGRAM },
      dataPoints: [point({ buckets: { boundaries: [0.5, 1], counts: [1, 2, 3] }, count: 6, sum: 3, min: 0.1, max: 2 })],
    },
  ];
  const all = {
    resource,
    scopeMetrics: [{ scope: { name: 'taut', version: '1' }, metrics }],
  } as unknown as ResourceMetrics;
  same('metrics', JsonMetricsSerializer.serializeRequest(all), ProtobufMetricsSerializer.serializeRequest(all));
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '{}',
  '{"resourceSpans":7}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"x"}]}]}]}',
])('the line %j is no request', (line) => {
  expect(() => toProtobuf('traces', Buffer.from(line))).toThrow();
});
