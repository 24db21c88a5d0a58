import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { destination, TelemetryConfigError, wholeNumber } from '../../otel/environment.ts';
import { JsonLines } from '../../otel/local/jsonLines.ts';
import { sampler } from '../../otel/sampler.ts';
import { sayRarely } from '../../otel/sayRarely.ts';

test('signals go over OTLP where an endpoint is configured, and into files where none is', () => {
  const common = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
  expect(destination({}, 'traces')).toEqual({ kind: 'files' });
  expect(destination(common, 'traces')).toEqual({ kind: 'otlp', protocol: 'http/protobuf', endpoint: 'http://c:4318' });
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

test('the same complaint is said once a minute', () => {
  const said: string[] = [];
  let now = 0;
  const log = sayRarely(
    (m) => said.push(m),
    () => now,
  );
  log.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: '…' }));
  log.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: '…' }));
  now = 61_000;
  log.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: '…' }));
  expect(said).toEqual(['telemetry: connect ECONNREFUSED', 'telemetry: connect ECONNREFUSED']);
});
