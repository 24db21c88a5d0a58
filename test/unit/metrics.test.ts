/** The table of metrics: each says truly what splits it, and up-down counters fall back to 0. */
import type { Attributes } from '@opentelemetry/api';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, test } from 'vitest';
import { observe } from '../../src/agents/observables.ts';
import { addon } from '../../src/native.ts';
import { METRICS, metricsFrom } from '../../src/telemetry/metrics.ts';
import * as semconv from '../../src/telemetry/semconv.ts';

const SPLITS = {
  source: semconv.ATTR_TAUT_WAKEUP_SOURCE,
  slackClass: semconv.ATTR_TAUT_TIMER_SLACK_CLASS,
  tuned: semconv.ATTR_TAUT_TUNED,
  slice: semconv.ATTR_TAUT_SCHED_SLICE,
} as const;

test('the kernel counts the quantities that have a metric, and no other, each split as its metric says', () => {
  const counted = Map.groupBy(addon().layout.series, ({ quantity }) => `taut.${quantity}`);
  const splits = [...counted].map(([metric, series]) => {
    const isSplit = (by: keyof typeof SPLITS) => series.some((one) => one[by] !== undefined);
    return [metric, (['source', 'slackClass', 'tuned', 'slice'] as const).filter(isSplit).map((by) => SPLITS[by])];
  });
  expect(Object.fromEntries(splits)).toEqual(
    Object.fromEntries(metricsFrom('wakeups').map((name) => [name, METRICS[name].splitBy])),
  );
});

afterEach(() => metrics.disable());

interface Collected {
  readonly unit: string;
  readonly points: readonly { readonly value: unknown; readonly attributes: Attributes }[];
}

test('observed metrics are exported with what splits them and the mode, and agents that are gone count 0', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const collect = async (): Promise<Map<string, Collected>> => {
    exporter.reset();
    await provider.forceFlush();
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return new Map(
      all.map(({ descriptor: { name, unit }, dataPoints }) => [
        name,
        { unit, points: dataPoints.map(({ value, attributes }) => ({ value, attributes })) },
      ]),
    );
  };
  let listed = 0;
  const agent = (attachPath: string, isTuned: boolean) => ({
    ...{ identity: { attachPath }, isTuned },
    get threadCount() {
      listed++;
      return 5;
    },
    counts: (_: unknown, total: number) => ({ total, original: 1, tuned: 4, drifted: 0, exempt: 0 }),
  });
  let present = [agent('cmdline', true), agent('cmdline', true), agent('dns', false)];
  const end = observe({
    ...{ mode: 'full', knobs: [{ id: 'a_knob' }, { id: 'another' }] as never },
    agents: () => present,
    tracerCounters: () => new Map(Object.entries({ wakeup_seen: 9, wakeup_recorded: 7, discard_on_cpu: 2 })),
    kernelCpu: () => ({ seconds: 1.5, method: 'calibrated' }),
    isDegraded: () => true,
    isOff: () => true,
    hasFlags: () => true,
  });

  const first = await collect();
  expect([...first.keys()].toSorted()).toEqual(metricsFrom('observed').toSorted());
  for (const name of metricsFrom('observed')) {
    const { unit, points } = first.get(name) ?? { points: [] };
    expect(unit).toBe(METRICS[name].unit);
    expect([...new Set(points.flatMap(({ attributes }) => Object.keys(attributes)))].toSorted(), name).toEqual(
      [...METRICS[name].splitBy, semconv.ATTR_TAUT_TRACER_MODE].toSorted(),
    );
  }
  const by = (attachPath: string, isTuned: boolean) => ({
    ...{ 'taut.attach.path': attachPath, 'taut.tuned': isTuned, 'taut.tracer.mode': 'full' },
  });
  expect(first.get('taut.agent.count')?.points).toEqual([
    { value: 2, attributes: by('cmdline', true) },
    { value: 1, attributes: by('dns', false) },
  ]);
  expect(first.get('taut.thread.count')?.points.map(({ value }) => value)).toEqual([3, 12, 0, 0, 3, 12, 0, 0]);
  expect(listed).toBe(present.length);
  expect(first.get('taut.tracer.events')?.points.map(({ value }) => value)).toEqual([7, 2]);

  present = [agent('dns', false)];
  expect((await collect()).get('taut.agent.count')?.points.map(({ value }) => value)).toEqual([0, 1]);
  end();
  await provider.shutdown();
});
