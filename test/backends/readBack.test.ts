/** All that left taut, beside what Jaeger, the collector and Prometheus say of it by their own interfaces: nothing is missing or different. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { type Attribute, type Metric, spansOf, type TraceRequest } from '../support/otlp.ts';
import { outcome, Program, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { wellFormed } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { type Series, seriesOf } from './promql.ts';
import { type Backends, startBackends } from './services.ts';
import { startTap, type Tap } from './tap.ts';

/** Waits of each class of slack. */
const WORK = ['nanosleep 150 700', 'poll 12 20000', 'timerfd 150 700'];
const waits = compiled('waits');

/** What JSON of OTLP may write in several ways is one: numbers are text, empty values are left out, keys are in order. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    const all = value.map(plain);
    const isMap = value.every((one) => typeof one === 'object' && one !== null && 'key' in one);
    return isMap ? all.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : all;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  // Jaeger keeps no schema's address.
  const entries = Object.entries(value).filter(([key]) => key !== 'schemaUrl');
  const all = entries
    .map(([key, of]) => [key, plain(of)] as const)
    .filter(([key, of]) => /value$/i.test(key) || !isEmpty(of));
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  return (
    ['', '0', 'false'].includes(value as string) || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
  );
}

interface Signal {
  readonly resource?: { readonly attributes: Attribute[] };
  readonly [scopes: `scope${string}`]: { readonly scope: unknown; readonly [items: string]: unknown }[];
}

/** The items of requests, each with its resource and scope, as text that can be compared, in an order of their own. */
function items(requests: readonly object[], what: 'spans' | 'metrics' | 'logRecords'): string[] {
  const signals = requests.flatMap((request) => Object.values(request).flat() as Signal[]);
  const all = signals.flatMap((signal) => {
    const scopes = Object.entries(signal).find(([key]) => key.startsWith('scope'))?.[1] as Signal[`scope${string}`];
    return scopes.flatMap((one) => {
      const of = (one[what] ?? []) as object[];
      return of.map((item) => ({ item, scope: one.scope, resource: signal.resource }));
    });
  });
  return all
    .flatMap(({ item, ...about }) => apart(item).map((one) => JSON.stringify(plain({ ...about, item: one }))))
    .toSorted();
}

/** A metric is one item for each of its points. */
function apart(item: object): object[] {
  const { name, unit, description, ...data } = item as Metric & { description: string };
  const [[kind, of] = []] = Object.entries(data).filter(
    ([, value]) => typeof value === 'object' && value && 'dataPoints' in value,
  );
  if (kind === undefined) return [item];
  const { dataPoints, ...about } = of as unknown as { dataPoints: object[] };
  return dataPoints.map((point) => ({ name, unit, description, kind, about, point }));
}

async function jaegerTraces(backends: Backends): Promise<TraceRequest['resourceSpans']> {
  const times = `query.start_time_min=${new Date(Date.now() - 3_600_000).toISOString()}&query.start_time_max=${new Date().toISOString()}`;
  const reply = await fetch(`${backends.jaeger}/api/v3/traces?query.service_name=taut&${times}&query.num_traces=100`);
  return reply.ok ? ((await reply.json()) as { result: TraceRequest }).result.resourceSpans : [];
}

/** What Jaeger warns of in a trace, as its page shows it: duplicate ids, missing parents, skewed clocks. */
async function warningsOf(backends: Backends, traceId: string): Promise<string[]> {
  const reply = await fetch(`${backends.jaeger}/api/traces/${traceId}`);
  const { data } = (await reply.json()) as { data: { warnings?: string[]; spans: { warnings?: string[] }[] }[] };
  return data.flatMap(({ warnings, spans }) => [...(warnings ?? []), ...spans.flatMap((span) => span.warnings ?? [])]);
}

interface Point {
  readonly attributes: Attribute[];
  readonly timeUnixNano: string;
  readonly asDouble?: number;
  readonly asInt?: string | number;
  readonly count?: string | number;
  readonly sum?: number;
  readonly scale?: number;
  readonly zeroCount?: string | number;
  readonly positive?: { readonly offset?: number; readonly bucketCounts?: (string | number)[] };
}

interface Exported {
  readonly resourceMetrics: {
    readonly resource: { readonly attributes: Attribute[] };
    readonly scopeMetrics: {
      readonly metrics: (Record<'sum' | 'exponentialHistogram', { dataPoints: Point[] } | undefined> & {
        name: string;
      })[];
    }[];
  }[];
}

/** The last point of each series of taut's own, by the labels that it has in Prometheus. */
function lastPoints(tap: Tap): Map<string, Point> {
  const last = new Map<string, Point>();
  for (const { resource, scopeMetrics } of tap.sent<Exported>('metrics').flatMap((one) => one.resourceMetrics)) {
    const of = labels(resource.attributes);
    const about = { job: of['service.name'], instance: of['service.instance.id'], 'host.name': of['host.name'] };
    for (const { name, sum, exponentialHistogram } of scopeMetrics.flatMap(({ metrics }) => metrics))
      for (const point of (sum ?? exponentialHistogram)?.dataPoints ?? [])
        last.set(keyOf({ __name__: name, ...about, ...labels(point.attributes) }), point);
  }
  return last;
}

function labels(attributes: readonly Attribute[]): Record<string, string> {
  const all = attributes.map(({ key, value }) => [key, String(Object.values(value)[0])] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
}

const keyOf = (metric: Readonly<Record<string, string | undefined>>) =>
  JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** What a point says, as Prometheus would: bounds of its buckets are powers of two, and those without a count are left out. */
function asSeries({
  asDouble,
  asInt,
  count,
  sum,
  scale = 0,
  zeroCount = 0,
  positive = {},
}: Point): Omit<Series, 'metric'> {
  if (count === undefined) return { value: asDouble ?? Number(asInt ?? 0) };
  const bound = (index: number) => 2 ** (index / 2 ** scale);
  const { offset = 0, bucketCounts = [] } = positive;
  const buckets = bucketCounts.map((n, i) => ({
    from: bound(offset + i),
    to: bound(offset + i + 1),
    count: Number(n),
  }));
  const zero = { from: 0, to: 0, count: Number(zeroCount) };
  return {
    histogram: { count: Number(count), sum: sum ?? 0, buckets: [zero, ...buckets].filter((one) => one.count > 0) },
  };
}

/** Prometheus computes a bound as it likes, and has a zero bucket of some width: both to twelve digits. */
function rounded({ value, histogram }: Omit<Series, 'metric'>) {
  const digits = (x: number) => (Math.abs(x) < 1e-12 ? 0 : Number(x.toPrecision(12)));
  return {
    value,
    count: histogram?.count,
    sum: histogram && digits(histogram.sum),
    buckets: histogram?.buckets.map(({ from, to, count }) => [digits(from), digits(to), count].join()),
  };
}

test('every span, link, event, attribute and bucket that left taut is read back, and all of it adds up', async () => {
  await using backends = await startBackends();
  await using tap = await startTap(backends.otlp);
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: tap.otlp, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  const flags = join(sandbox.dir, 'flags.json');
  const set = (defaultVariant: string) => {
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant };
    const all = { 'taut.optimize-timer-slack': flag, 'taut.optimize-sched-slice': flag };
    writeFileSync(flags, JSON.stringify({ flags: all }));
  };
  await using agent = new Program(waits, ['3', sandbox.mark]);
  const works = async () => {
    for (const words of WORK) await tell(agent, words);
  };
  // Over a restart, which links two traces; with a flag that changes, a process that ends, and the kill switch.
  for (const [before, after] of [
    ['off', 'on'],
    ['on', 'off'],
  ] as const) {
    set(before);
    await using taut = await sandbox.watch('--flags', flags, '--json');
    const happened = (event: string, times = 1) =>
      until(event, () => taut.lines.filter((line) => line.includes(`"event":"${event}"`)).length >= times);
    await happened('attach');
    await works();
    {
      await using _short = await sleeper(sandbox);
      await happened('attach', 2);
    }
    set(after);
    await happened(after === 'on' ? 'tune' : 'revert');
    await works();
    for (const words of [['off', '--reason', 'a test'], ['on']])
      expect((await outcome(sandbox.taut(...words))).code).toBe(0);
    expect(await taut.stop()).toBe(0);
    expect(taut.errors.filter((line) => line.includes('lost'))).toEqual([]);
  }

  // The collector answers before it has handed on, or written, what it took.
  const spans = items(tap.sent('traces'), 'spans');
  await until(
    'Jaeger has as many spans',
    async () => spansOf([{ resourceSpans: await jaegerTraces(backends) }]).length >= spans.length,
  );
  expect(items([{ resourceSpans: await jaegerTraces(backends) }], 'spans')).toEqual(spans);
  const sent = wellFormed(spansOf(tap.sent('traces')));
  expect(sent.filter(({ links = [] }) => links.length > 0)).not.toEqual([]);
  const traceIds = [...new Set(sent.map(({ traceId }) => traceId))];
  for (const id of traceIds) expect(await warningsOf(backends, id), id).toEqual([]);

  for (const [signal, what] of [
    ['logs', 'logRecords'],
    ['metrics', 'metrics'],
  ] as const) {
    const all = items(tap.sent(signal), what);
    await until(
      `the collector has written the ${signal}`,
      () => items(backends.received(signal), what).length >= all.length,
    );
    expect(items(backends.received(signal), what), signal).toEqual(all);
  }

  const points = lastPoints(tap);
  const own = () => seriesOf(backends.prometheus, '{__name__=~"taut[.].+"}');
  const told = async () => new Map((await own()).map(({ metric, ...of }) => [keyOf(metric), rounded(of)]));
  const wanted = new Map(
    [...points]
      .filter(([key]) => /"__name__","taut\./.test(key))
      .map(([key, point]) => [key, rounded(asSeries(point))]),
  );
  expect(wanted.size).toBeGreaterThan(50);
  await until('Prometheus has the last point of each series', async () => {
    const now = await told();
    return [...wanted].every(([key, of]) => JSON.stringify(now.get(key)) === JSON.stringify(of));
  }).catch(() => {});
  expect(Object.fromEntries(await told())).toEqual(Object.fromEntries(wanted));

  const operations = async (words: string) => {
    const [{ value = 0 } = {}] = await seriesOf(
      backends.prometheus,
      `sum({"taut.operations", "taut.knob"="timer_slack_ns", ${words}})`,
    );
    return value;
  };
  const tuned = await operations('"taut.operation"="tune", "taut.outcome"="tuned"');
  const back = await operations('"taut.operation"=~"revert|restore", "taut.outcome"=~"restored|drifted|vanished"');
  const ended = await operations('"taut.operation"="forget", "taut.outcome"="vanished"');
  expect(tuned).toBeGreaterThanOrEqual(3);
  expect(back + ended).toBe(tuned);
});
