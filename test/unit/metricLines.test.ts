/** A collection in several lines: of all points none is lost, none is twice, and no line is long. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AggregationTemporality, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { fileMetricExporter } from '../../otel/local/exporters.ts';
import { parts } from '../../otel/local/metricLines.ts';
import { KernelHistograms } from '../../otel/producer.ts';
import { addon } from '../../src/native.ts';
import type { ExpHistogram, Snapshot } from '../../src/tracer/series.ts';

/** A histogram of which every bucket is in use, with numbers as long as they get. */
const FULL: ExpHistogram = {
  ...{ scale: 3, offset: -240, buckets: Array<number>(321).fill(2 ** 40 + 1), zeroCount: 2 ** 40, count: 2 ** 50 },
  ...{ sumNs: 2n ** 62n, minNs: 0n, maxNs: 2n ** 40n },
};

async function collected(agents: number): Promise<ResourceMetrics> {
  const series = addon().layout.series.map((of) => ({ ...of, histogram: FULL }));
  const agent = (pid: number) => ({ pid, name: 'n'.repeat(200), createdAtMs: 0, attachedAtMs: 0, series });
  const snapshots = () => Array.from({ length: agents }, (_, i) => agent(4_000_000 + i)) as Snapshot[];
  const producer = new KernelHistograms({ snapshots, temporality: AggregationTemporality.CUMULATIVE });
  return (await producer.collect()).resourceMetrics;
}

const keys = ({ scopeMetrics }: ResourceMetrics) =>
  scopeMetrics.flatMap(({ scope, metrics }) =>
    metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes }) => JSON.stringify([scope.name, descriptor.name, attributes])),
    ),
  );

test.each([1, 7, 24, 100_000])('with %s points in a part, the parts together are the collection', async (most) => {
  const all = await collected(5);
  const divided = [...parts(all, most)];
  expect(divided.flatMap(keys)).toEqual(keys(all));
  expect(divided.every((part) => keys(part).length <= most)).toBe(true);
  expect(divided).toHaveLength(Math.ceil(keys(all).length / most));
  expect([...parts({ ...all, scopeMetrics: [] }, most)]).toEqual([]);
});

test('the longest line of the sink has room in a file many times, however many agents there are', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-lines-'));
  const path = join(dir, 'metrics.jsonl');
  const all = await collected(60);
  const result = await new Promise((resolve) => fileMetricExporter(path).export(all, resolve));
  expect(result).toEqual({ code: 0 });
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(Math.ceil(keys(all).length / 500));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(5 << 20);
  rmSync(dir, { recursive: true });
});
