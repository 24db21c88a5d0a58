/**
 * Turns a request in OTLP's JSON, as the spool keeps it, into protobuf. The SDK's serializers take its own objects only,
 * which are gone after a restart. Fields are in the order in which the SDK writes them, so the bytes are the same.
 */
import { Bytes } from './bytes.ts';

/**
 * How a field is written. `string` and `sint` are left out when they have their default, `is` when it is false; `text`
 * and `varint` never, as they may be one of several alternatives.
 */
type Scalar = 'string' | 'text' | 'hex' | 'base64' | 'varint' | 'is' | 'sint' | 'fixed64' | 'fixed32' | 'double';
type Packed = 'varints' | 'fixed64s' | 'doubles';
type Fields = readonly (readonly [name: string, number: number, kind: Scalar | Packed | (() => Fields)])[];

const ANY: Fields = [
  ['stringValue', 1, 'text'],
  ['boolValue', 2, 'varint'],
  ['intValue', 3, 'varint'],
  ['doubleValue', 4, 'double'],
  ['arrayValue', 5, () => [['values', 1, () => ANY]]],
  ['kvlistValue', 6, () => [['values', 1, () => KEY_VALUE]]],
  ['bytesValue', 7, 'base64'],
];
const KEY_VALUE: Fields = [
  ['key', 1, 'text'],
  ['value', 2, () => ANY],
];
const attributes = (number: number) => ['attributes', number, () => KEY_VALUE] as const;
const dropped = (number: number) => ['droppedAttributesCount', number, 'varint'] as const;

const RESOURCE: Fields = [attributes(1), dropped(2)];
const SCOPE: Fields = [['name', 1, 'text'], ['version', 2, 'string'], attributes(3), dropped(4)];

const SPAN_EVENT: Fields = [['timeUnixNano', 1, 'fixed64'], ['name', 2, 'text'], attributes(3), dropped(4)];
const LINK: Fields = [
  ...([
    ['traceId', 1, 'hex'],
    ['spanId', 2, 'hex'],
    ['traceState', 3, 'string'],
  ] as const),
  ...([attributes(4), dropped(5), ['flags', 6, 'fixed32']] as const),
];
const STATUS: Fields = [
  ['message', 2, 'string'],
  ['code', 3, 'varint'],
];
const SPAN: Fields = [
  ...([
    ['traceId', 1, 'hex'],
    ['spanId', 2, 'hex'],
    ['traceState', 3, 'string'],
    ['parentSpanId', 4, 'hex'],
  ] as const),
  ...([
    ['name', 5, 'text'],
    ['kind', 6, 'varint'],
  ] as const),
  ...([['startTimeUnixNano', 7, 'fixed64'], ['endTimeUnixNano', 8, 'fixed64'], attributes(9), dropped(10)] as const),
  ...([
    ['events', 11, () => SPAN_EVENT],
    ['droppedEventsCount', 12, 'varint'],
  ] as const),
  ...([
    ['links', 13, () => LINK],
    ['droppedLinksCount', 14, 'varint'],
  ] as const),
  ...([
    ['status', 15, () => STATUS],
    ['flags', 16, 'fixed32'],
  ] as const),
];
const LOG_RECORD: Fields = [
  ...([
    ['timeUnixNano', 1, 'fixed64'],
    ['severityNumber', 2, 'varint'],
    ['severityText', 3, 'string'],
  ] as const),
  ...([['body', 5, () => ANY], attributes(6), dropped(7)] as const),
  ...([
    ['flags', 8, 'fixed32'],
    ['traceId', 9, 'hex'],
    ['spanId', 10, 'hex'],
  ] as const),
  ...([
    ['observedTimeUnixNano', 11, 'fixed64'],
    ['eventName', 12, 'string'],
  ] as const),
];

const times = [
  ['startTimeUnixNano', 2, 'fixed64'],
  ['timeUnixNano', 3, 'fixed64'],
] as const;
const NUMBER: Fields = [...times, ['asInt', 6, 'fixed64'], ['asDouble', 4, 'double'], attributes(7)];
const HISTOGRAM: Fields = [
  ...([...times, ['count', 4, 'fixed64'], ['sum', 5, 'double'], ['bucketCounts', 6, 'fixed64s']] as const),
  ...([['explicitBounds', 7, 'doubles'], attributes(9), ['min', 11, 'double'], ['max', 12, 'double']] as const),
];
const BUCKETS: Fields = [
  ['offset', 1, 'sint'],
  ['bucketCounts', 2, 'varints'],
];
const EXPONENTIAL: Fields = [
  ...([attributes(1), ...times, ['count', 4, 'fixed64'], ['sum', 5, 'double'], ['scale', 6, 'sint']] as const),
  ...([
    ['zeroCount', 7, 'fixed64'],
    ['positive', 8, () => BUCKETS],
    ['negative', 9, () => BUCKETS],
  ] as const),
  ...([
    ['min', 12, 'double'],
    ['max', 13, 'double'],
  ] as const),
];
const pointsOf = (point: Fields): (() => Fields) => {
  const fields: Fields = [
    ['dataPoints', 1, () => point],
    ['aggregationTemporality', 2, 'varint'],
    ['isMonotonic', 3, 'is'],
  ];
  return () => fields;
};
const METRIC: Fields = [
  ...([
    ['name', 1, 'text'],
    ['description', 2, 'string'],
    ['unit', 3, 'string'],
  ] as const),
  ...([
    ['gauge', 5, pointsOf(NUMBER)],
    ['sum', 7, pointsOf(NUMBER)],
    ['histogram', 9, pointsOf(HISTOGRAM)],
  ] as const),
  ['exponentialHistogram', 10, pointsOf(EXPONENTIAL)],
];

/** All three requests are resources with scopes with items, numbered alike. */
function request(resources: string, scopes: string, items: string, item: Fields): Fields {
  const scope: Fields = [
    ['scope', 1, () => SCOPE],
    [items, 2, () => item],
    ['schemaUrl', 3, 'string'],
  ];
  const resource: Fields = [
    ['resource', 1, () => RESOURCE],
    [scopes, 2, () => scope],
    ['schemaUrl', 3, 'string'],
  ];
  return [[resources, 1, () => resource]];
}

const REQUESTS = {
  traces: request('resourceSpans', 'scopeSpans', 'spans', SPAN),
  metrics: request('resourceMetrics', 'scopeMetrics', 'metrics', METRIC),
  logs: request('resourceLogs', 'scopeLogs', 'logRecords', LOG_RECORD),
};

/** @param line a request in JSON. @throws Error for what is no OTLP request of that signal. */
export function toProtobuf(signal: keyof typeof REQUESTS, line: Uint8Array): Uint8Array {
  const parsed: unknown = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
  const bytes = new Bytes();
  writeMessage(bytes, REQUESTS[signal], parsed);
  if (bytes.length === 0) throw new TypeError(`no OTLP request of ${signal}`);
  return bytes.finish();
}

function writeMessage(bytes: Bytes, fields: Fields, message: unknown): void {
  if (typeof message !== 'object' || message === null) throw new TypeError(`${typeof message} instead of a message`);
  for (const [name, number, kind] of fields) {
    const value = (message as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    if (typeof kind !== 'function') writeField(bytes, number, kind, value);
    else for (const one of Array.isArray(value) ? value : [value]) writePart(bytes, number, kind(), one);
  }
}

function writePart(bytes: Bytes, number: number, fields: Fields, message: unknown): void {
  bytes.delimited(number, () => writeMessage(bytes, fields, message));
}

function writeField(bytes: Bytes, number: number, kind: Scalar | Packed, value: unknown): void {
  switch (kind) {
    case 'string':
    case 'text':
      if (kind === 'text' || value !== '') bytes.blob(number, Buffer.from(String(value)));
      return;
    case 'hex':
    case 'base64':
      return bytes.blob(number, Buffer.from(String(value), kind));
    case 'is':
      if (value !== true) return;
      bytes.tag(number, 0);
      return bytes.varint(1);
    case 'varint':
      bytes.tag(number, 0);
      return bytes.varint(wholeOf(value));
    case 'sint': {
      const n = Number(wholeOf(value));
      if (n === 0) return;
      bytes.tag(number, 0);
      return bytes.varint(n >= 0 ? 2 * n : -2 * n - 1);
    }
    case 'fixed64':
      bytes.tag(number, 1);
      return bytes.fixed64(BigInt(wholeOf(value)));
    case 'fixed32':
      bytes.tag(number, 5);
      return bytes.fixed32(Number(wholeOf(value)));
    case 'double':
      bytes.tag(number, 1);
      return bytes.double(Number(value));
    default: {
      const all = value as unknown[];
      if (all.length === 0) return;
      bytes.delimited(number, () => {
        for (const one of all) writePacked(bytes, kind, one);
      });
    }
  }
}

function writePacked(bytes: Bytes, kind: Packed, value: unknown): void {
  if (kind === 'varints') bytes.varint(wholeOf(value));
  else if (kind === 'fixed64s') bytes.fixed64(BigInt(wholeOf(value)));
  else bytes.double(Number(value));
}

/** JSON has 64-bit numbers as texts. */
function wholeOf(value: unknown): number | bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return BigInt(value);
  throw new TypeError(`${String(value)} is no whole number`);
}
