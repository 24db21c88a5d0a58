import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { expect, test } from 'vitest';
import { destination, TelemetryConfigError, wholeNumber } from '../../otel/environment.ts';
import { JsonLines } from '../../otel/local/jsonLines.ts';
import { masked } from '../../otel/readable.ts';
import { reportFailures } from '../../otel/reportFailures.ts';
import { sampler } from '../../otel/sampler.ts';
import { complaints, rarely } from '../../otel/sayRarely.ts';

test('signals go over OTLP where an endpoint is configured, and into files where none is', () => {
  const common = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
  expect(destination({}, 'traces')).toEqual({ kind: 'files' });
  expect(destination(common, 'traces')).toEqual({
    kind: 'otlp',
    protocol: 'http/protobuf',
    endpoint: 'http://c:4318',
    address: 'http://c:4318/v1/traces',
  });
  expect(destination({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://l:1/v1/logs' }, 'traces')).toEqual({ kind: 'files' });
  expect(destination({ ...common, OTEL_METRICS_EXPORTER: 'none' }, 'metrics')).toEqual({ kind: 'none' });
  expect(destination({ ...common, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' }, 'metrics')).toMatchObject({
    protocol: 'http/json',
  });
  expect(destination({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, 'logs')).toEqual({ kind: 'files' });
  expect(destination({ OTEL_TRACES_EXPORTER: 'otlp' }, 'traces')).toMatchObject({ endpoint: 'http://localhost:4318' });
});

test.each([
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  { OTEL_TRACES_EXPORTER: 'zipkin' },
])('%j stops the start', (env) => {
  expect(() => destination(env, 'traces')).toThrow(TelemetryConfigError);
});

test('numbers and samplers that are none stop the start, too', () => {
  expect(wholeNumber({}, 'X', 7)).toBe(7);
  expect(wholeNumber({ X: '12' }, 'X', 7)).toBe(12);
  for (const X of ['0', '-1', '1.5', 'soon']) expect(() => wholeNumber({ X }, 'X', 7)).toThrow(TelemetryConfigError);
  expect(() => sampler({ OTEL_TRACES_SAMPLER: 'sometimes' })).toThrow(TelemetryConfigError);
  expect(() => sampler({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow(
    TelemetryConfigError,
  );
  expect(sampler({ OTEL_TRACES_SAMPLER: 'always_off' }).toString()).toBe('AlwaysOffSampler');
});

test("the sink's files never outgrow their bound, and lose whole lines only, the oldest first", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-sink-'));
  try {
    const file = new JsonLines(join(dir, 'x', 't.jsonl'), 100);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => file.append(Buffer.from(`{"n":${String(n).padStart(10)}}`))),
    );
    const kept = ['.2', '.1', ''].flatMap((end) => {
      const path = `${file.path}${end}`;
      expect(statSync(path).size).toBeLessThanOrEqual(100);
      return readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { n: number }).n);
    });
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 40 - kept.length + i));
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a line that is longer than a file is refused, and the others are kept', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-sink-'));
  const file = new JsonLines(join(dir, 't.jsonl'), 100);
  await file.append(Buffer.from('"short"'));
  await expect(file.append(Buffer.from(`"${'x'.repeat(98)}"`))).rejects.toThrow('100 bytes are more than');
  await file.append(Buffer.from('"other"'));
  expect(readFileSync(file.path, 'utf8')).toBe('"short"\n"other"\n');
  rmSync(dir, { recursive: true });
});

test('a pipe in the place of the file is an error, and no wait for its reader', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-sink-'));
  execFileSync('mkfifo', [join(dir, 't.jsonl')]);
  await expect(new JsonLines(join(dir, 't.jsonl')).append(Buffer.from('1'))).rejects.toThrow('ENXIO');
  rmSync(dir, { recursive: true });
});

test('the same complaint is said once a minute', () => {
  const said: string[] = [];
  let now = 0;
  const say = rarely(
    (m) => said.push(m),
    () => now,
  );
  const log = complaints(say);
  log.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: '…' }));
  log.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: '…' }));
  now = 61_000;
  log.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: '…' }));
  expect(said).toEqual(['telemetry: connect ECONNREFUSED', 'telemetry: connect ECONNREFUSED']);
});

test('a complaint keeps all that it was given, on one line, without control characters', () => {
  const said: string[] = [];
  const log = complaints((m) => said.push(m));
  log.warn(
    'OTLPExportDelegate',
    'Received Partial Success response:',
    '{"rejectedDataPoints":"7","errorMessage":"over quota"}',
  );
  log.warn(
    'OTLPExportDelegate',
    'could not deserialize',
    new Error('index out of range'),
    Buffer.from('<html>\u001b[2J\n'),
  );
  log.error('PeriodicExportingMetricReader: metrics collection errors', new AggregateError([new Error('one of two')]));
  log.error('BatchSpanProcessor', { dropped: 42 });
  expect(said).toEqual([
    'OTLPExportDelegate Received Partial Success response: {"rejectedDataPoints":"7","errorMessage":"over quota"}',
    'OTLPExportDelegate could not deserialize index out of range <html> [2J',
    'PeriodicExportingMetricReader: metrics collection errors one of two',
    'BatchSpanProcessor {"dropped":42}',
  ]);
});

test.each([
  ['http://u:p@c:4318', 'http://***@c:4318'],
  ['https://token@c/v1/traces', 'https://***@c/v1/traces'],
  ['http://c:4318/v1/metrics?api_key=s3cret&x=1', 'http://c:4318/v1/metrics?***'],
  ['http://u:p@ss/w@c:1?k=v', 'http://***@c:1?***'],
  ['user:s3cret@collector:4318', '***@collector:4318'],
  ["could not parse URL: 'http://u:p@c', using undefined", "could not parse URL: 'http://***@c', using undefined"],
  ['http://localhost:4318', 'http://localhost:4318'],
  ['connect ECONNREFUSED 127.0.0.1:4318', 'connect ECONNREFUSED 127.0.0.1:4318'],
])('of the address %s is shown %s', (given, shown) => {
  expect(masked(given)).toBe(shown);
});

test('what the SDK says of a meter that is asked for after the end is not said', () => {
  const said: string[] = [];
  complaints((m) => said.push(m)).warn('A shutdown MeterProvider cannot provide a Meter');
  expect(said).toEqual([]);
});

test('a refused address stops the start without its secrets', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://u:s3cret@c?key=s3cret' };
  expect(() => destination(env, 'traces')).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT=ftp:\/\/\*\*\*@c\?\*\*\*/);
});

test('an export that fails is told with signal, address and reason, and once when it works again', () => {
  const said: string[] = [];
  const answers: (Error | undefined)[] = [
    new Error('connect ECONNREFUSED 127.0.0.1:4318'),
    Object.assign(new Error('Internal Server Error'), { code: 500, data: 'delta is not supported' }),
    undefined,
    undefined,
  ];
  const exporter = {
    export: (_: string, done: (result: ExportResult) => void) => {
      const error = answers.shift();
      done(error ? { code: ExportResultCode.FAILED, error } : { code: ExportResultCode.SUCCESS });
    },
  };
  reportFailures(exporter, 'metrics to http://c/v1/metrics', (text) => said.push(text));
  for (let n = 0; n < 4; n++) exporter.export('', () => {});
  expect(said).toEqual([
    'metrics to http://c/v1/metrics: connect ECONNREFUSED 127.0.0.1:4318',
    'metrics to http://c/v1/metrics: 500 Internal Server Error delta is not supported',
    'metrics to http://c/v1/metrics: works again, after 2 exports that failed',
  ]);
});
