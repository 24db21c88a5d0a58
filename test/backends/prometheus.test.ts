import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { quantile } from '../../src/tracer/arithmetic.ts';
import { tell } from '../support/conversation.ts';
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
    const count = Number(exported?.count ?? 0);
    return exported?.count === before && (await ask(`histogram_count(${labels})`)) === count;
  });
  if (!exported) throw new Error('nothing was exported');
  const count = Number(exported.count ?? 0);
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

test('an increase counts agents that live half a second, a minute before the next export of the interval', async () => {
  await using backends = await startBackends();
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: backends.otlp, OTEL_METRIC_EXPORT_INTERVAL: '60000' });
  await using _taut = await sandbox.watch();
  const comesAndGoes = async (): Promise<number> => {
    await using agent = await sleeper(sandbox);
    await tell(agent, 'sleep 400 1000');
    return agent.pid;
  };
  const pids: number[] = [];
  for (let wave = 0; wave < 6; wave++) pids.push(...(await Promise.all(Array.from({ length: 6 }, comesAndGoes))));

  const series = '{"taut.timer.lateness", "taut.timer.slack_class"="reachable"}';
  const ask = async (query: string): Promise<Map<number, number>> => {
    const reply = await fetch(`${backends.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await reply.json()) as {
      data?: { result?: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return new Map((data?.result ?? []).map(({ metric, value }) => [Number(metric['process.pid']), Number(value[1])]));
  };
  const whole = () => ask(`histogram_count(last_over_time(${series}[10m]))`);
  let last = new Map<number, number>();
  let [increases, exact] = [last, last];
  await until('Prometheus has every agent, and nothing new of any', async () => {
    last = await whole();
    increases = await ask(`histogram_count(increase(${series}[10m]))`);
    exact = await ask(`histogram_count(increase(${series}[10m] anchored))`);
    const after = await whole();
    return pids.every((pid) => (last.get(pid) ?? 0) > 200 && last.get(pid) === after.get(pid));
  });
  for (const pid of pids) {
    const count = last.get(pid) ?? Number.NaN;
    expect(exact.get(pid)).toBe(count);
    // Prometheus extrapolates beyond the last point: by half of the time between two, and to now where that is 1.1 of it at most.
    expect(increases.get(pid)).toBeGreaterThanOrEqual(count * (1 - 1e-9));
    expect(increases.get(pid)).toBeLessThanOrEqual(count * (2.1 + 1e-9));
  }
});
