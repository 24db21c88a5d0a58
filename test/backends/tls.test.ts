/** A real collector that wants to see a certificate: what taut sends it, compressed, in each format and temporality. */
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { tell } from '../support/conversation.ts';
import { PEM } from '../support/otelVariables.ts';
import { DELTA, type MetricRequest, metricsOf, spansOf, total, values } from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';
import { freePorts, startCollector } from './services.ts';

const SLEEPS = 100;
const TLS = { cert_file: PEM('server.cert'), key_file: PEM('server.key'), client_ca_file: PEM('client.cert') };
const OWN = {
  OTEL_EXPORTER_OTLP_CLIENT_KEY: PEM('client.key'),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: PEM('client.cert'),
};

test.each([
  ['http/json', 'delta'],
  ['http/protobuf', 'cumulative'],
] as const)(
  'a collector that knows taut by its certificate takes %s, zipped, with %s metrics',
  async (protocol, temporality) => {
    const [port = 0] = await freePorts(1);
    await using collector = await startCollector(port, TLS);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_CERTIFICATE: PEM('server.cert'),
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
    using sandbox = new Sandbox(env);
    await using agent = await sleeper(sandbox);
    {
      await using stranger = await sandbox.watch();
      const line = await stranger.line(/telemetry: traces to /);
      expect(line).toMatch(/: (TLS: tlsv13 alert certificate required|.*(ECONNRESET|EPIPE|socket hang up))$/);
      await stranger.stop();
      expect(collector.received('traces')).toEqual([]);
    }
    using known = new Sandbox({ ...env, ...OWN });
    await using taut = known.taut('watch', '--state-dir', sandbox.stateDir, '--config', sandbox.config);
    await taut.line(/watching/);
    await tell(agent, `sleep ${SLEEPS} 700`);
    expect(await taut.stop()).toBe(0);
    expect(taut.errors.filter((line) => /lost|telemetry:/.test(line))).toEqual([]);

    const points = () =>
      metricsOf(collector.received<MetricRequest>('metrics'), 'taut.timer.lateness').flatMap((metric) =>
        (metric.exponentialHistogram?.dataPoints ?? [])
          .filter(({ attributes }) => values(attributes)['taut.timer.slack_class'] === 'reachable')
          .map(({ count }) => ({
            isDelta: metric.exponentialHistogram?.aggregationTemporality === DELTA,
            count: Number(count ?? 0),
          })),
      );
    await until('the sleeps have arrived', () => total(points()) > SLEEPS / 2);
    expect(new Set(points().map(({ isDelta }) => isDelta))).toEqual(new Set([temporality === 'delta']));
    // Those that waited for a collector that takes them, and those of the second taut.
    const attached = () => spansOf(collector.received('traces')).filter(({ name }) => name === 'attach');
    await until('both traces have arrived', () => attached().length === 2);
    expect(spansOf(collector.received('traces')).filter(({ name }) => name === 'gate')).toHaveLength(2 * KNOBS.length);
  },
);
