import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { quantile } from '../../src/tracer/arithmetic.ts';
import { type HistogramPoint, type MetricRequest, metricsOf, values } from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';
import { FLUSH_MS, startBackends } from './services.ts';

test('Prometheus takes the histograms as native ones, and its quantile is ours', async () => {
  await using backends = await startBackends();
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: backends.otlp });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  agent.say('sleep 200 700');
  await agent.line(/^done/);
  await taut.stop();

  const labels = `{"taut.timer.lateness", "taut.timer.slack_class"="reachable", "process.pid"="${agent.pid}"}`;
  const ask = async (query: string): Promise<number | undefined> => {
    const reply = await fetch(`${backends.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await reply.json()) as { data?: { result?: { value: [number, string] }[] } };
    const value = data?.result?.[0]?.value[1];
    return value === undefined ? undefined : Number(value);
  };
  const last = () =>
    metricsOf(backends.received<MetricRequest>('metrics'), 'taut.timer.lateness')
      .flatMap((metric) => metric.exponentialHistogram?.dataPoints ?? [])
      .filter((point) => values(point.attributes)['taut.timer.slack_class'] === 'reachable')
      .at(-1);
  // The collector answers taut before it has written the export, or handed it on.
  let exported: HistogramPoint | undefined;
  await until('the collector and Prometheus have the last export', async () => {
    const before = last()?.count;
    await setTimeout(4 * FLUSH_MS);
    exported = last();
    const count = Number(exported?.count);
    return exported?.count === before && (await ask(`histogram_count(${labels})`)) === count;
  });
  if (!exported) throw new Error('nothing was exported');
  const count = Number(exported.count);
  const histogram = {
    scale: exported.scale,
    offset: exported.positive.offset ?? 0,
    buckets: (exported.positive.bucketCounts ?? []).map(Number),
    zeroCount: Number(exported.zeroCount ?? 0),
    count,
    sumNs: 0n,
    minNs: undefined,
    maxNs: undefined,
  };
  for (const q of [0.5, 0.9, 0.99])
    expect(await ask(`histogram_quantile(${q}, ${labels})`)).toBeCloseTo(quantile(histogram, q) ?? Number.NaN, 12);
});
