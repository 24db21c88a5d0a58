/** OpenTelemetry's variables and its configuration file, as a real start takes them; each value is tried in test/unit. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { VARIABLES } from '../../otel/environment/variables.ts';
import { closed, hear, hostOf, listening } from '../support/loopback.ts';
import { PEM, RIGHT, WRONG } from '../support/otelVariables.ts';
import { type Attribute, DELTA, type Metric, metricsOf, spansOf, values } from '../support/otlp.ts';
import { outcome, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

/** Every variable of the table, with its first value of these. @param apart is left out. */
function each(of: typeof WRONG, ...apart: string[]): Record<string, string> {
  const rows = VARIABLES.filter(({ written }) => !apart.includes(written));
  return Object.fromEntries(
    rows.flatMap(({ names, written }) => {
      const [value] = of[written]?.[0] ?? [];
      return value === undefined ? [] : names.map((name) => [name, value]);
    }),
  );
}

test('a start with every variable wrong names each of them, before anything is begun', async () => {
  using sandbox = new Sandbox();
  // A sampler that is not known has no argument that could be wrong.
  const wrong = each(WRONG, 'OTEL_TRACES_SAMPLER_ARG');
  await using taut = sandbox.tautWith(wrong, 'watch', '--config', sandbox.config);
  const { code, err } = await outcome(taut);
  const named = [...err.matchAll(/^(?:taut: | {2})(OTEL_\w+)[=:]/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(Object.keys(wrong).toSorted());
  expect([code, taut.lines]).toEqual([2, []]);
  expect(err).not.toMatch(/measuring/);
  expect(existsSync(sandbox.stateDir)).toBe(false);
});

test('a start with every variable right goes on, and one that is misspelt gets a word', async () => {
  const right = each(RIGHT, 'OTEL_SDK_DISABLED');
  using sandbox = new Sandbox({ ...right, OTEL_METRIC_EXPORT_INTERVAL: '1000', OTEL_SERVICE_NAMES: 'x' });
  await using taut = await sandbox.watch();
  await taut.line(/warn: OTEL_SERVICE_NAMES is not known, and has no effect; did you mean OTEL_SERVICE_NAME\?/);
  await taut.stop();
});

interface Received {
  readonly path: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: { readonly [K in 'resourceSpans' | 'resourceMetrics' | 'resourceLogs']?: unknown[] };
}

/** A backend that wants to see a certificate, and takes JSON. */
class TlsBackend implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      hear(request, (bytes) => {
        const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
        this.received.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) });
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  static async start(): Promise<TlsBackend> {
    const [key, cert, ca] = ['server.key', 'server.cert', 'client.cert'].map((name) => readFileSync(PEM(name)));
    const server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true });
    return new TlsBackend(await listening(server));
  }

  get url(): string {
    return `https://${hostOf(this.#server)}`;
  }

  of(signal: string): readonly Received[] {
    return this.received.filter(({ path }) => path === `/v1/${signal}`);
  }

  resources(): Record<string, unknown>[] {
    const all = this.received.flatMap(({ body }) => Object.values(body).flat());
    return all.map((one) => values((one as { resource: { attributes: Attribute[] } }).resource.attributes));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closed(this.#server);
  }
}

/** What both say: one by variables, the other one by a file. */
const SAID = { service: 'mine', reason: 'because of this and that' };

async function exportedBy(sandbox: Sandbox, backend: TlsBackend): Promise<void> {
  await using _agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  await using off = sandbox.taut('off', '--reason', SAID.reason);
  await outcome(off);
  const logs = () => JSON.stringify(backend.of('logs').map(({ body }) => body));
  const arrived = () => ['traces', 'metrics'].every((signal) => backend.of(signal).length > 0);
  // `taut off` does not wait for a taut that is slow to answer.
  await until('each signal has arrived', () => arrived() && logs().includes('taut.off.reason'));
  expect(await taut.stop()).toBe(0);
  expect(taut.errors.join('\n')).not.toContain('s3cret');
  for (const { headers } of backend.received)
    expect(headers).toMatchObject({ authorization: 'Bearer s3cret', 'content-encoding': 'gzip', 'user-agent': 'taut' });
  for (const resource of backend.resources())
    expect(resource).toMatchObject({ 'service.name': SAID.service, team: 'a,b' });
  const spans = spansOf(backend.of('traces').map(({ body }) => body as never));
  expect(spans.length).toBeGreaterThan(0);
  for (const { attributes } of spans) expect(attributes).toHaveLength(3);
  // The limit is that of attributes: a record's sentence has all of it.
  expect(logs()).toContain(`"${SAID.reason.slice(0, 9)}"`);
  expect(logs()).not.toContain(`"${SAID.reason.slice(0, 10)}`);
  const counters: Metric[] = metricsOf(
    backend.of('metrics').map(({ body }) => body as never),
    'taut.operations',
  );
  expect(new Set(counters.map(({ sum }) => sum?.aggregationTemporality))).toEqual(new Set([DELTA]));
}

test('what the variables say is so in each request: certificate, header, compression, resource, limits, temporality', async () => {
  await using backend = await TlsBackend.start();
  using sandbox = new Sandbox({
    OTEL_EXPORTER_OTLP_ENDPOINT: backend.url,
    OTEL_EXPORTER_OTLP_CERTIFICATE: PEM('server.cert'),
    OTEL_EXPORTER_OTLP_CLIENT_KEY: PEM('client.key'),
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: PEM('client.cert'),
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20s3cret',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,team=a%2Cb',
    OTEL_SERVICE_NAME: SAID.service,
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '3',
    OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  await exportedBy(sandbox, backend);
});

test('what a configuration file says is so in each request, and the variables beside it are not', async () => {
  await using backend = await TlsBackend.start();
  using sandbox = new Sandbox({ SECRET: 's3cret', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=another' });
  const tls = `{ ca_file: ${PEM('server.cert')}, key_file: ${PEM('client.key')}, cert_file: ${PEM('client.cert')} }`;
  const otlp = (signal: string, more = '') =>
    `{ otlp_http: { endpoint: "${backend.url}/v1/${signal}", encoding: json, compression: gzip, tls: ${tls},` +
    ` headers: [{ name: authorization, value: "Bearer \${SECRET}" }]${more} } }`;
  const file = join(sandbox.dir, 'otel.yaml');
  const text = `
file_format: "1.1"
resource:
  attributes: [{ name: service.name, value: ${SAID.service} }]
  attributes_list: team=a%2Cb
tracer_provider:
  processors: [{ batch: { schedule_delay: 100, exporter: ${otlp('traces')} } }]
  limits: { attribute_count_limit: 3 }
meter_provider:
  readers: [{ periodic: { interval: 1000, exporter: ${otlp('metrics', ', temporality_preference: delta')} } }]
logger_provider:
  processors: [{ batch: { exporter: ${otlp('logs')} } }]
  limits: { attribute_value_length_limit: 9 }
`;
  writeFileSync(file, text);
  using withFile = new Sandbox({ SECRET: 's3cret', OTEL_EXPORTER_OTLP_HEADERS: 'x=y', OTEL_CONFIG_FILE: file });
  await exportedBy(withFile, backend);
  writeFileSync(file, text.replace('schedule_delay: 100', 'schedule_delay: -100'));
  for (const command of [['watch'], ['run', '--', 'touch', join(sandbox.dir, 'started')]]) {
    await using taut = withFile.taut(...command);
    const { code, err } = await outcome(taut);
    expect([code, err.includes(`${file}:`), err.includes('schedule_delay')]).toEqual([2, true, true]);
  }
  expect(existsSync(join(sandbox.dir, 'started'))).toBe(false);
});
