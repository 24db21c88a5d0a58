import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { type MetricRequest, metricsOf, spansOf, type TraceRequest } from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { wellFormed } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { startFileCollector } from './services.ts';

test("the collector's own file receiver reads the embedded sink, span for span and bucket for bucket", async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  agent.say('sleep 100 700');
  await agent.line(/^done/);
  await taut.stop();
  const written = <T>(signal: string) =>
    readFileSync(join(sandbox.stateDir, `otlp/${signal}.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T);

  await using collector = await startFileCollector(sandbox.stateDir);
  const identities = (requests: TraceRequest[]) =>
    spansOf(requests)
      .map(
        (s) => `${s.traceId} ${s.spanId} ${s.parentSpanId ?? ''} ${s.name} ${s.startTimeUnixNano} ${s.endTimeUnixNano}`,
      )
      .toSorted();
  const buckets = (requests: MetricRequest[]) =>
    metricsOf(requests, 'taut.timer.lateness')
      .flatMap((metric) => metric.exponentialHistogram?.dataPoints ?? [])
      .map((p) => `${p.timeUnixNano} ${p.count} ${p.positive.offset ?? 0} ${(p.positive.bucketCounts ?? []).join()}`)
      .toSorted();
  wellFormed(spansOf(written<TraceRequest>('traces')));
  const spans = identities(written<TraceRequest>('traces'));
  const points = buckets(written<MetricRequest>('metrics'));
  // Of an agent: attach, a gate for each knob, tune, verify, revert.
  expect(spans).toHaveLength(4 + KNOBS.length);
  expect(points.length).toBeGreaterThan(0);
  await until('it has read everything', () => {
    const traces = identities(collector.received<TraceRequest>('traces'));
    return (
      traces.length >= spans.length && buckets(collector.received<MetricRequest>('metrics')).length >= points.length
    );
  });
  expect(identities(collector.received<TraceRequest>('traces'))).toEqual(spans);
  expect(buckets(collector.received<MetricRequest>('metrics'))).toEqual(points);
});
