/** Collections that a backend does not take: what is on disk at each moment, as taut may be killed in it. Answers are made up. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import type { Answer } from '../../otel/delivery/answer.ts';
import { Delivery } from '../../otel/delivery/delivery.ts';
import { MetricDelivery } from '../../otel/delivery/exporters.ts';
import { Spool } from '../../otel/delivery/spool.ts';
import type { Env } from '../../otel/environment.ts';
import { until } from '../support/program.ts';

const LATER: Answer = { kind: 'later', why: 'connect ECONNREFUSED' };
const ACCEPTED: Answer = { kind: 'accepted' };
const TO = { kind: 'otlp', protocol: 'http/json', endpoint: 'http://x', address: 'http://x/v1/metrics' } as const;
const DELTA = { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' };

/** A sum of one point, with this value. */
const collection = (value: number): ResourceMetrics => ({
  resource: resourceFromAttributes({}),
  scopeMetrics: [
    {
      scope: { name: 'x' },
      metrics: [
        {
          descriptor: { name: 'sum', description: '', unit: '', type: InstrumentType.UP_DOWN_COUNTER, valueType: 0 },
          dataPointType: DataPointType.SUM,
          aggregationTemporality: AggregationTemporality.CUMULATIVE,
          isMonotonic: false,
          dataPoints: [{ startTime: [1, 0], endTime: [2, 0], attributes: {}, value }],
        } as never,
      ],
    },
  ],
});

class Bench {
  readonly dir = mkdtempSync(join(tmpdir(), 'taut-metrics-'));
  readonly said: string[] = [];
  readonly got: number[] = [];
  /** Attempts that have failed. */
  failed = 0;
  /** How often taut was told that a collection need not come again. */
  exported = 0;
  answer: () => Answer | Promise<Answer> = () => ACCEPTED;
  readonly delivery: Delivery;
  readonly #exporter: MetricDelivery;

  constructor(env: Env = {}, limit = 100_000) {
    onTestFinished(async () => {
      this.delivery.giveUp();
      await this.delivery.end();
      rmSync(this.dir, { recursive: true, force: true });
    });
    const say = (text: string) => this.said.push(text);
    const spool = new Spool({ dir: join(this.dir, 'spool'), pid: 4_194_304, startTicks: 1, say });
    this.delivery = new Delivery({
      ...{ signal: 'metrics', where: 'metrics to x', spool, limit, say },
      post: async ({ bytes }, abort) => {
        const given = new Promise<Answer>((resolve) => abort.addEventListener('abort', () => resolve(LATER)));
        const answer = abort.aborted ? LATER : await Promise.race([this.answer(), given]);
        if (answer.kind === 'later') this.failed++;
        if (answer.kind === 'accepted') this.got.push(valueIn(Buffer.from(bytes).toString()));
        return answer;
      },
    });
    this.#exporter = new MetricDelivery(TO, this.delivery, env, () => this.exported++);
  }

  export(value: number): Promise<void> {
    return new Promise((done) => this.#exporter.export(collection(value), () => done()));
  }

  /** The values that the next taut would find. */
  onDisk(): number[] {
    const all = readdirSync(this.dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    return all.map((one) => valueIn(readFileSync(join(one.parentPath, one.name), 'utf8'))).toSorted((a, b) => a - b);
  }
}

function valueIn(request: string): number {
  return Number(/"as(?:Int|Double)":"?(\d+)/.exec(request)?.[1] ?? Number.NaN);
}

test('while a backend is silent, the newest collection is on disk at each moment', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  await bench.export(1);
  expect(bench.onDisk()).toEqual([1]);
  // Neither taken nor refused, for as long as the test lasts.
  bench.answer = () => new Promise(() => {});
  for (const value of [2, 3, 4]) {
    const sent = bench.export(value);
    await until('it is on disk', () => bench.onDisk().includes(value));
    await sent;
    expect(bench.onDisk().at(-1)).toBe(value);
  }
  expect(bench.said.filter((line) => line.includes('lost'))).toEqual([]);
});

test('a delta is on disk before it is sent', async () => {
  const bench = new Bench(DELTA);
  bench.answer = () => new Promise(() => {});
  for (const value of [1, 2]) {
    void bench.export(value);
    await until('it is on disk', () => bench.onDisk().includes(value));
  }
  expect(bench.onDisk()).toEqual([1, 2]);
});

test('one that was being sent when a newer one came goes with the next, and is not counted as lost', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  await bench.export(1);
  let fail: (answer: Answer) => void = () => {};
  const asked = new Promise<void>((resolve) => {
    bench.answer = () => {
      resolve();
      return new Promise<Answer>((answer) => {
        fail = answer;
      });
    };
  });
  await asked;
  await bench.export(2);
  expect(bench.onDisk()).toEqual([1, 2]);
  bench.answer = () => LATER;
  fail(LATER);
  await until('it has failed', () => bench.failed === 2);
  await bench.export(3);
  await until('the newest is left', () => String(bench.onDisk()) === '3');
  expect(bench.said.filter((line) => line.includes('lost'))).toEqual([]);
});

test('where there is room for one collection only, the newer one takes the place of the older, and none is lost', async () => {
  const bench = new Bench({}, 600);
  bench.answer = () => LATER;
  for (const value of [1, 2, 3]) {
    await bench.export(value);
    await until('it alone is left', () => String(bench.onDisk()) === String(value));
  }
  expect(bench.said.filter((line) => line.includes('lost'))).toEqual([]);
});

test('when the backend takes requests again, the newest collection arrives, and the next one counts as exported', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  for (const value of [1, 2]) await bench.export(value);
  expect(bench.exported).toBe(0);
  bench.answer = () => ACCEPTED;
  await until('nothing waits', () => bench.delivery.depth.items === 0);
  expect(bench.got).toEqual([2]);
  await bench.export(3);
  expect([bench.got, bench.exported]).toEqual([[2, 3], 1]);
  await until('nothing is on disk', () => bench.onDisk().length === 0);
});
