/** Agents come and go while the collector is away, and taut is killed meanwhile: then everything arrives. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { tell } from '../support/conversation.ts';
import { DELTA, type MetricRequest, metricsOf, spansOf, type TraceRequest, total, values } from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';
import { agents } from '../support/world.ts';
import { freePorts, startCollector } from './services.ts';

const SLEEPS = 40;

/** The files of a signal in the spool, those of each taut in their order. */
function files(sandbox: Sandbox, signal: string): string[] {
  const dir = join(sandbox.stateDir, 'spool');
  try {
    const names = readdirSync(dir, { recursive: true }).map(String);
    const own = names.filter((name) => name.includes(`/${signal}-`) && /\.(json|pb)$/.test(name));
    const number = (name: string) => Number(/-(\d+)-\d+-[\da-f]+\.\w+$/.exec(name)?.[1]);
    return own.toSorted((a, b) => number(a) - number(b)).map((name) => join(dir, name));
  } catch {
    return []; // a directory has gone meanwhile: it is looked again
  }
}

/** The requests of a signal that wait in the spool, in JSON. */
function waiting<T>(sandbox: Sandbox, signal: string): T[] {
  try {
    return files(sandbox, signal).map((path) => JSON.parse(readFileSync(path, 'utf8')) as T);
  } catch {
    return []; // a file has gone meanwhile: it is looked again
  }
}

/** When the newest collection that waits was made: milliseconds since the epoch. */
function newest(sandbox: Sandbox): number {
  const costs = metricsOf(waiting<MetricRequest>(sandbox, 'metrics'), 'taut.self.cpu');
  const times = costs.flatMap(({ sum }) => (sum?.dataPoints ?? []).map((point) => Number(point.timeUnixNano) / 1e6));
  return Math.max(0, ...times);
}

/** An agent that sleeps so often, and ends. */
async function comesAndGoes(sandbox: Sandbox): Promise<number> {
  await using agent = await sleeper(sandbox);
  await tell(agent, `sleep ${SLEEPS} 700`);
  return agent.pid;
}

const spansBy = (requests: TraceRequest[], pid: number) =>
  spansOf(requests).filter((span) => values(span.attributes)['process.pid'] === pid);

function lateness(requests: MetricRequest[], pid: number) {
  return metricsOf(requests, 'taut.timer.lateness').flatMap((metric) =>
    (metric.exponentialHistogram?.dataPoints ?? [])
      .map(({ count, attributes }) => ({
        isDelta: metric.exponentialHistogram?.aggregationTemporality === DELTA,
        count: Number(count ?? 0),
        of: values(attributes),
      }))
      .filter(({ of }) => of['process.pid'] === pid && of['taut.timer.slack_class'] === 'reachable'),
  );
}

test.each(['cumulative', 'delta'])(
  'with %s metrics, an outage over a kill of taut loses no span and no count',
  async (temporality) => {
    const [port = 0] = await freePorts(1);
    using sandbox = new Sandbox({
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '100' },
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const spans = 1 + KNOBS.length; // attach, and a gate for each knob
    /** How many wakeups each agent had, by what waited on disk. */
    const counted = new Map<number, number>();
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using taut = await sandbox.watch();
      const own = [await comesAndGoes(sandbox), await comesAndGoes(sandbox)];
      await until('the agents have gone', async () => (await agents(sandbox)).length === 0);
      const gone = Date.now();
      // The points of a collection have the time of taut's own clock, which may differ a little.
      await until('the last points wait on disk', () => newest(sandbox) > gone + 100);
      const has = (pid: number) => spansBy(waiting(sandbox, 'traces'), pid).length === spans;
      await until('the spans wait on disk', () => own.every(has));
      for (const pid of own) counted.set(pid, total(lateness(waiting(sandbox, 'metrics'), pid)));
      await taut.stop(signal);
      expect(taut.errors.filter((line) => line.includes('lost'))).toEqual([]);
    }

    await using collector = await startCollector(port);
    await using taut = await sandbox.watch();
    await until('nothing waits any more', () =>
      ['traces', 'metrics'].every((signal) => files(sandbox, signal).length === 0),
    );
    await taut.stop();
    const metrics = () => collector.received<MetricRequest>('metrics');
    const traces = () => collector.received<TraceRequest>('traces');
    // The collector answers before it has written.
    await until('every agent is in its files', () =>
      [...counted.keys()].every((pid) => spansBy(traces(), pid).length >= spans && lateness(metrics(), pid).length > 0),
    );
    for (const [pid, count] of counted) {
      expect(new Set(spansBy(traces(), pid).map(({ spanId }) => spanId)).size).toBe(spans);
      expect(count).toBeGreaterThan(SLEEPS / 2);
      expect(total(lateness(metrics(), pid))).toBe(count);
    }
    expect(taut.errors.filter((line) => line.includes('lost'))).toEqual([]);
  },
);

test('what has waited in protobuf arrives as well', async () => {
  const [port = 0] = await freePorts(1);
  using sandbox = new Sandbox({
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
  await using first = await sandbox.watch();
  const pid = await comesAndGoes(sandbox);
  await until('the agent has gone', async () => (await agents(sandbox)).length === 0);
  await first.stop();
  const names = [...files(sandbox, 'traces'), ...files(sandbox, 'metrics')].map((path) => path.replace(/.*\./, ''));
  expect(new Set(names)).toEqual(new Set(['pb']));

  await using collector = await startCollector(port);
  await using taut = await sandbox.watch();
  await until('the agent is in its files', () => {
    const points = lateness(collector.received<MetricRequest>('metrics'), pid);
    return total(points) > SLEEPS / 2 && spansBy(collector.received('traces'), pid).length === 1 + KNOBS.length;
  });
  expect(lateness(collector.received<MetricRequest>('metrics'), pid)[0]?.count).toBe(0);
  expect(taut.errors.filter((line) => line.includes('lost'))).toEqual([]);
});
