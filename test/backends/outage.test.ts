/** Agents come and go while the collector is away, and taut is killed meanwhile: then everything arrives. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { tell } from '../support/conversation.ts';
import {
  type Attribute,
  DELTA,
  type MetricRequest,
  metricsOf,
  spansOf,
  type TraceRequest,
  total,
  values,
} from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';
import { agents } from '../support/world.ts';
import { freePorts, startCollector } from './services.ts';

const SLEEPS = 40;
/** At a time; TAUT_OUTAGE_AGENTS: more of them, a minute for 50. */
const AGENTS = Number(process.env['TAUT_OUTAGE_AGENTS'] ?? 4);

const AT_ONCE = 10;
const FLAG = 'taut.optimize-timer-slack';

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

interface LogRequest {
  readonly resourceLogs: { readonly scopeLogs: { readonly logRecords: LogRecord[] }[] }[];
}

interface LogRecord {
  readonly eventName?: string;
  readonly attributes: Attribute[];
}

/** The flags that were evaluated for a process: an event each, one for each knob. */
function evaluated(requests: LogRequest[], pid: number): Set<unknown> {
  const records = requests.flatMap((one) => one.resourceLogs).flatMap((one) => one.scopeLogs);
  const evaluations = records
    .flatMap(({ logRecords }) => logRecords)
    .filter(({ eventName }) => eventName === 'feature_flag.evaluation')
    .map(({ attributes }) => values(attributes))
    .filter((of) => of['process.pid'] === pid);
  return new Set(evaluations.map((of) => of['feature_flag.key']));
}

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
  'with %s metrics, an outage over a kill of taut loses no span, no event and no count',
  async (temporality) => {
    const [port = 0] = await freePorts(1);
    using sandbox = new Sandbox({
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '100' },
      OTEL_BLRP_SCHEDULE_DELAY: '100',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    const spans = 1 + KNOBS.length; // attach, and a gate for each knob
    const flags = join(sandbox.dir, 'flags.json');
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
    writeFileSync(flags, JSON.stringify({ flags: { [FLAG]: flag } }));
    /** How many wakeups each agent had, by what waited on disk. */
    const counted = new Map<number, number>();
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using taut = await sandbox.watch('--flags', flags);
      const own: number[] = [];
      for (let left = AGENTS; left > 0; left -= AT_ONCE) {
        const some = Array.from({ length: Math.min(left, AT_ONCE) }, () => comesAndGoes(sandbox));
        own.push(...(await Promise.all(some)));
      }
      await until('the agents have gone', async () => (await agents(sandbox)).length === 0);
      const gone = Date.now();
      // The points of a collection have the time of taut's own clock, which may differ a little.
      await until('a collection of after their end waits on disk', () => newest(sandbox) > gone + 100);
      const first = newest(sandbox);
      // A collection is several requests: of one that another one follows all are there.
      await until('the last points wait on disk', () => {
        if (newest(sandbox) <= first) return false;
        const metrics = waiting<MetricRequest>(sandbox, 'metrics');
        for (const pid of own) counted.set(pid, total(lateness(metrics, pid)));
        return own.every((pid) => (counted.get(pid) ?? 0) > 0);
      });
      await until('the spans and events wait on disk', () => {
        const [traces, logs] = [waiting<TraceRequest>(sandbox, 'traces'), waiting<LogRequest>(sandbox, 'logs')];
        return own.every((pid) => spansBy(traces, pid).length === spans && evaluated(logs, pid).size === KNOBS.length);
      });
      await taut.stop(signal);
      expect(taut.errors.filter((line) => line.includes('lost'))).toEqual([]);
    }

    await using collector = await startCollector(port);
    await using taut = await sandbox.watch();
    await until('nothing waits any more', () =>
      ['traces', 'metrics', 'logs'].every((signal) => files(sandbox, signal).length === 0),
    );
    await taut.stop();
    const metrics = () => collector.received<MetricRequest>('metrics');
    const traces = () => collector.received<TraceRequest>('traces');
    const logs = () => collector.received<LogRequest>('logs');
    // The collector answers before it has written.
    await until('every agent is in its files', () => {
      const [spansNow, pointsNow, eventsNow] = [traces(), metrics(), logs()];
      const has = (pid: number) => spansBy(spansNow, pid).length >= spans && lateness(pointsNow, pid).length > 0;
      return [...counted.keys()].every((pid) => has(pid) && evaluated(eventsNow, pid).size === KNOBS.length);
    });
    for (const [pid, count] of counted) {
      expect(evaluated(logs(), pid).size).toBe(KNOBS.length);
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
