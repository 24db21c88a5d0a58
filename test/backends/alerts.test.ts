/**
 * Each alert fires and clears on a real Prometheus that runs all the while: faults are made up, as what taut would send.
 * The rules are those of otel/backends/, but that an hour is six seconds, and that no alert waits; what they say with their
 * own times is in rules.test.yaml.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CONFIG, freePorts, start } from './services.ts';

const HOST = 'made-up';
/** Between two exports. */
const EXPORT_MS = 300;

/** Prometheus' configuration and rules with short times. @returns the configuration's path. */
function hastened(dir: string): string {
  const times: readonly [RegExp, string][] = [
    [/evaluation_interval: \w+/, 'evaluation_interval: 500ms'],
    [/^( +for:) \w+$/gm, '$1 0s'],
    [/offset \w+/g, 'offset 6s'],
    [/\[1h\]/g, '[30s]'],
    [/\[5m\]/g, '[6s]'],
  ];
  for (const name of ['prometheus.yaml', 'rules.yaml']) {
    const text = readFileSync(join(CONFIG, name), 'utf8');
    writeFileSync(
      join(dir, name),
      times.reduce((all, [from, to]) => all.replace(from, to), text),
    );
  }
  return join(dir, 'prometheus.yaml');
}

function namesOf(rules: string): string[] {
  const { groups } = parse(rules) as { groups: { rules: { alert?: string }[] }[] };
  return groups.flatMap((group) => group.rules.flatMap(({ alert }) => alert ?? []));
}

const attributes = (of: Readonly<Record<string, string>>) =>
  Object.entries(of).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/** What a taut would send whose host is well, or not. What only grows goes on growing. */
class MadeUp {
  readonly #start = `${Date.now()}000000`;
  #failed = 0;
  #dropped = 0;
  #cpuSeconds = 0;
  /** Waits of a millisecond, and of a tenth of a second. */
  readonly #waits = { short: 0, long: 0 };

  request(isFaulty: boolean): string {
    const bad = Number(isFaulty);
    this.#failed += bad;
    this.#dropped += bad;
    this.#cpuSeconds += isFaulty ? 1 : 0.001;
    this.#waits[isFaulty ? 'long' : 'short'] += 100;
    const { short, long } = this.#waits;
    const at = { startTimeUnixNano: this.#start, timeUnixNano: `${Date.now()}000000` };
    const gauge = (name: string, value: number) => ({ name, gauge: { dataPoints: [{ ...at, asDouble: value }] } });
    const sum = (name: string, value: number, of: Record<string, string>) => ({
      name,
      sum: {
        ...{ aggregationTemporality: 2, isMonotonic: true },
        dataPoints: [{ ...at, attributes: attributes(of), asDouble: value }],
      },
    });
    const agent = { 'taut.agent.name': 'example', 'taut.wakeup.source': 'timer', 'taut.tuned': 'false' };
    const histogram = {
      // Of scale 0: the last bucket is that from 1/16 to 1/8 s, the first that from 1/1024 to 1/512 s.
      ...{ ...at, attributes: attributes(agent), scale: 0, count: short + long, sum: short / 600 + long / 10 },
      positive: { offset: -10, bucketCounts: [short, 0, 0, 0, 0, 0, long] },
    };
    const metrics = [
      sum('taut.operations', this.#failed, { 'taut.operation': 'revert', 'taut.outcome': 'failed' }),
      sum('taut.telemetry.dropped', this.#dropped, { 'taut.telemetry.signal': 'traces' }),
      sum('taut.self.cpu', this.#cpuSeconds, { 'taut.self.part': 'user' }),
      gauge('taut.tracer.degraded', bad),
      gauge('taut.flags.ready', 1 - bad),
      gauge('taut.off', bad),
      {
        name: 'taut.wakeup.run_queue_delay',
        exponentialHistogram: { aggregationTemporality: 2, dataPoints: [histogram] },
      },
    ];
    const resource = { attributes: attributes({ 'service.name': 'taut', 'host.name': HOST }) };
    return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'taut' }, metrics }] }] });
  }
}

test('each alert fires on its fault and clears after it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-alerts-'));
  using _folder = { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }) };
  const [port] = await freePorts(1);
  const at = `http://127.0.0.1:${port}`;
  const options = ['--web.enable-otlp-receiver', `--storage.tsdb.path=${join(dir, 'data')}`];
  // A series that gets no more points is gone after three seconds, not after five minutes.
  const own = ['--query.lookback-delta=3s', `--web.listen-address=127.0.0.1:${port}`];
  await using _prometheus = await start(
    'prometheus',
    [`--config.file=${hastened(dir)}`, ...options, ...own],
    {},
    `${at}/-/ready`,
  );
  const firing = async () => {
    const { data } = (await (await fetch(`${at}/api/v1/alerts`)).json()) as {
      data: { alerts: { state: string; labels: Record<string, string> }[] };
    };
    const all = data.alerts.filter(({ state, labels }) => state === 'firing' && labels['host.name'] === HOST);
    return [...new Set(all.map(({ labels }) => labels['alertname'] ?? ''))].toSorted();
  };
  const taut = new MadeUp();
  const send = async (isFaulty: boolean) => {
    const body = taut.request(isFaulty);
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${at}/api/v1/otlp/v1/metrics`, { method: 'POST', headers, body });
    expect(status).toBe(200);
  };
  /** Goes on as before until these fire, and no others. The test's own limit is the safety net. */
  const until = async (wanted: readonly string[], goesOn: () => Promise<void>) => {
    for (let now = await firing(); String(now) !== String(wanted); now = await firing()) {
      await goesOn();
      await setTimeout(EXPORT_MS);
    }
  };
  const all = namesOf(readFileSync(join(CONFIG, 'rules.yaml'), 'utf8')).toSorted();
  expect(all).toContain('TautSilent');
  for (let n = 0; n < 5; n++) {
    await send(false);
    await setTimeout(EXPORT_MS);
  }
  await until([], () => send(false));
  await until(
    all.filter((name) => name !== 'TautSilent'),
    () => send(true),
  );
  await until([], () => send(false));
  await until(['TautSilent'], async () => {});
  await until([], () => send(false));
});
