/** One series has one writer: no two points of one identity in one export, none lost, none counted twice. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tell } from '../support/conversation.ts';
import { type Attribute, discardedWakeups, type Metric, values } from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { Receiver } from '../support/receiver.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

interface Stream {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly value: number;
}

interface AnyPoint {
  readonly attributes: Attribute[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly count?: string | number;
  readonly asDouble?: number;
}

function pointsOf({ exponentialHistogram, sum }: Metric): AnyPoint[] {
  return [...(exponentialHistogram?.dataPoints ?? []), ...((sum?.dataPoints ?? []) as AnyPoint[])];
}

const identity = ({ attributes }: AnyPoint) => JSON.stringify(Object.entries(values(attributes)).toSorted());

/** The points of each identity about one process, in the order of the exports. @throws where one export has two of one. */
function streams(metrics: readonly Metric[], pid: number): Map<string, Stream[]> {
  const all = new Map<string, Stream[]>();
  for (const metric of metrics) {
    const points = pointsOf(metric).filter(({ attributes }) => values(attributes)['process.pid'] === pid);
    expect(new Set(points.map(identity)).size, `one point of an identity in an export of ${metric.name}`).toBe(
      points.length,
    );
    for (const point of points) {
      const stream = all.get(identity(point)) ?? [];
      all.set(identity(point), stream);
      stream.push({
        startNs: BigInt(point.startTimeUnixNano),
        endNs: BigInt(point.timeUnixNano),
        value: Number(point.count ?? point.asDouble),
      });
    }
  }
  return all;
}

/** All that was counted: of a delta stream every point, of a cumulative one the last before each new start. */
function total(stream: readonly Stream[], temporality: 'delta' | 'cumulative'): number {
  let sum = 0;
  for (const [i, { startNs, endNs, value }] of stream.entries()) {
    const next = stream[i + 1];
    if (next && next.startNs !== startNs)
      expect(next.startNs, 'starts after the one before').toBeGreaterThanOrEqual(endNs);
    else if (next && temporality === 'delta') throw new Error('two deltas from one start');
    else if (next) expect(next.value).toBeGreaterThanOrEqual(value);
    if (temporality === 'delta' || next?.startNs !== startNs) sum += value;
  }
  return sum;
}

const SLEEPS = 40;

test.each([
  ['delta', 'full', ''],
  ['cumulative', 'full', ''],
  ['delta', 'schedstat', 'bpf'],
  ['cumulative', 'schedstat', 'bpf'],
] as const)(
  'in %s and mode %s, rules renamed while taut runs split no series in two',
  async (temporality, mode, without) => {
    await using receiver = await Receiver.start();
    using sandbox = new Sandbox({
      ...receiver.env,
      TAUT_WITHOUT: without,
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      OTEL_METRIC_EXPORT_INTERVAL: '1500',
    });
    const use = (id: string) =>
      writeFileSync(
        sandbox.config,
        JSON.stringify({ version: 1, builtin: false, rules: [{ id, name: 'streams', anyArg: sandbox.mark }] }),
      );
    use('rule-0');
    await using agent = await sleeper(sandbox);
    await using taut = await sandbox.watch();
    await tell(agent, `sleep ${SLEEPS} 500`);
    // The first changes fall into one interval between exports, the last ones each into another.
    for (let n = 1; n <= 5; n++) {
      use(`rule-${n}`);
      taut.child.kill('SIGHUP');
      await taut.line(new RegExp(`by rule rule-${n}$`));
      await tell(agent, `sleep ${SLEEPS} 500`);
      const before = receiver.exports.length;
      if (n > 3) await until('an export has come', () => receiver.exports.length > before);
    }
    expect(await taut.stop()).toBe(mode === 'full' ? 0 : 1);

    const sleeps = 6 * SLEEPS;
    const of = (name: string) =>
      [...streams(receiver.metric(name), agent.pid)].reduce((sum, [, stream]) => sum + total(stream, temporality), 0);
    if (mode === 'full') {
      const counted = of('taut.timer.lateness');
      expect(counted).toBeLessThanOrEqual(sleeps);
      // What is missing was discarded for a reason that is counted, of all threads together.
      expect(counted + discardedWakeups(receiver.metric('taut.tracer.events'))).toBeGreaterThanOrEqual(sleeps);
    } else expect(of('taut.run_queue.timeslices')).toBeGreaterThanOrEqual(sleeps);
  },
);
