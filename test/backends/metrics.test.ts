import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  DELTA,
  discardedWakeups,
  type HistogramPoint,
  type Metric,
  type MetricRequest,
  metricsOf,
  total,
  values,
} from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';
import { type Backends, FLUSH_MS, startBackends } from './services.ts';

const SLEEPS = 150;

/** Runs taut over an agent that sleeps exactly so often. @returns how many wakeups, of any thread, were discarded. */
async function measure(backends: Backends, env: NodeJS.ProcessEnv): Promise<{ pid: number; discarded: number }> {
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: backends.otlp, ...env });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  const done = () => agent.lines.filter((line) => line === 'done').length;
  for (let part = 1; part <= 3; part++) {
    agent.say(`sleep ${SLEEPS / 3} 700`);
    await until('the sleeps are done', () => done() === part);
    const before = backends.received('metrics').length;
    await until('an export has come', () => backends.received('metrics').length > before);
  }
  await taut.stop();
  const discarded = () =>
    discardedWakeups(metricsOf(backends.received<MetricRequest>('metrics'), 'taut.tracer.events'));
  // The collector answers taut before it has written the export. What follows is of what was written last.
  await until('every sleep is told of', () => countedOf(backends, agent.pid) + discarded() >= SLEEPS);
  await setTimeout(4 * FLUSH_MS);
  return { pid: agent.pid, discarded: discarded() };
}

/** The sleeps that the exports have counted. */
function countedOf(backends: Backends, pid: number): number {
  return total(
    reachable(backends, 'taut.timer.lateness', pid).map(({ metric, point }) => ({
      isDelta: metric.exponentialHistogram?.aggregationTemporality === DELTA,
      count: Number(point.count ?? 0),
    })),
  );
}

/** The points of one agent in the class that slack governs, in the order in which they came. */
function reachable(backends: Backends, name: string, pid: number): { metric: Metric; point: HistogramPoint }[] {
  return metricsOf(backends.received<MetricRequest>('metrics'), name).flatMap((metric) =>
    (metric.exponentialHistogram?.dataPoints ?? [])
      .map((point) => ({ metric, point, attributes: values(point.attributes) }))
      .filter(({ attributes: a }) => a['process.pid'] === pid && a['taut.timer.slack_class'] === 'reachable'),
  );
}

for (const protocol of ['http/protobuf', 'http/json'])
  test(`over ${protocol}, an agent's histograms are exponential, in seconds, cumulative, and count its sleeps exactly`, async () => {
    await using backends = await startBackends();
    const { pid, discarded } = await measure(backends, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
    for (const name of ['taut.timer.lateness', 'taut.timer.slack_use', 'taut.timer.overrun', 'taut.wakeup.latency']) {
      const points = reachable(backends, name, pid);
      expect(points.length, name).toBeGreaterThan(1);
      for (const { metric, point } of points) {
        expect(metric).toMatchObject({ unit: 's', exponentialHistogram: { aggregationTemporality: 2 } });
        expect(point.scale).toBe(3);
        expect(point.startTimeUnixNano).toBe(points[0]?.point.startTimeUnixNano);
        const counts = (point.positive.bucketCounts ?? []).map(Number);
        expect(counts.reduce((a, b) => a + b, Number(point.zeroCount ?? 0))).toBe(Number(point.count ?? 0));
        expect(values(point.attributes)).toMatchObject({ 'taut.agent.name': 'fixture-agent', 'taut.tuned': false });
      }
    }
    const counted = countedOf(backends, pid);
    expect(counted).toBeLessThanOrEqual(SLEEPS);
    expect(counted + discarded).toBeGreaterThanOrEqual(SLEEPS);
  });

test('asked for delta, every point starts where the one before ended, and all together are the sleeps', async () => {
  await using backends = await startBackends();
  const { pid, discarded } = await measure(backends, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' });
  const points = reachable(backends, 'taut.timer.lateness', pid);
  expect(points.length).toBeGreaterThan(1);
  for (const { metric } of points) expect(metric.exponentialHistogram?.aggregationTemporality).toBe(DELTA);
  const counted = countedOf(backends, pid);
  expect(counted).toBeLessThanOrEqual(SLEEPS);
  expect(counted + discarded).toBeGreaterThanOrEqual(SLEEPS);
  for (const [i, { point }] of points.slice(1).entries())
    expect(BigInt(point.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(points[i]?.point.timeUnixNano ?? 0));
});
