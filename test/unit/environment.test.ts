/** OpenTelemetry's environment variables: what taut does with each, by its table. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { attributeLimits, spanLimits } from '../../otel/environment/limits.ts';
import { withoutEffect } from '../../otel/environment/misspelt.ts';
import { sampling } from '../../otel/environment/sampling.ts';
import { settle } from '../../otel/environment/settle.ts';
import { transport } from '../../otel/environment/transport.ts';
import { VARIABLES } from '../../otel/environment/variables.ts';
import { checkEnvironment, destination, SIGNALS, TelemetryConfigError, timeout } from '../../otel/environment.ts';
import { sampler } from '../../otel/sampler.ts';
import { PEM, RIGHT, WRONG } from '../support/otelVariables.ts';

const messageOf = (env: Record<string, string>): string => {
  try {
    checkEnvironment(env);
    return '';
  } catch (error) {
    if (error instanceof TelemetryConfigError) return error.message;
    throw error;
  }
};

/** A signal's own variable may be set like the one for all. */
const writtenOf = new Map(VARIABLES.flatMap(({ names, written }) => names.map((name) => [name, written] as const)));
const NAMES = [...writtenOf.keys()];

test('each variable is in the table once, and has values of which a start is tried', () => {
  expect(NAMES.length).toBe(VARIABLES.flatMap(({ names }) => names).length);
  const written = VARIABLES.map((variable) => variable.written);
  expect(Object.keys(RIGHT)).toEqual(written);
  expect(Object.keys(WRONG)).toEqual(VARIABLES.filter(({ check }) => check).map((variable) => variable.written));
});

/** All names in the specification's pages (version of August 2026), without the prefix. */
const SPECIFIED = (
  'ATTRIBUTE_COUNT_LIMIT ATTRIBUTE_VALUE_LENGTH_LIMIT BLRP_EXPORT_TIMEOUT BLRP_MAX_EXPORT_BATCH_SIZE ' +
  'BLRP_MAX_QUEUE_SIZE BLRP_SCHEDULE_DELAY BSP_EXPORT_TIMEOUT BSP_MAX_EXPORT_BATCH_SIZE ' +
  'BSP_MAX_QUEUE_SIZE BSP_SCHEDULE_DELAY CONFIG_FILE ENTITIES EVENT_ATTRIBUTE_COUNT_LIMIT ' +
  'EXPERIMENTAL_CONFIG_FILE EXPORTER_PROMETHEUS_HOST EXPORTER_PROMETHEUS_PORT EXPORTER_ZIPKIN_ENDPOINT ' +
  'EXPORTER_ZIPKIN_PROTOCOL EXPORTER_ZIPKIN_TIMEOUT LINK_ATTRIBUTE_COUNT_LIMIT ' +
  'LOGRECORD_ATTRIBUTE_COUNT_LIMIT LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT LOGS_EXPORTER LOG_LEVEL ' +
  'METRICS_EXEMPLAR_FILTER METRICS_EXPORTER METRIC_EXPORT_INTERVAL METRIC_EXPORT_TIMEOUT PROPAGATORS ' +
  'RESOURCE_ATTRIBUTES SDK_DISABLED SERVICE_NAME SPAN_ATTRIBUTE_COUNT_LIMIT ' +
  'SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT SPAN_EVENT_COUNT_LIMIT SPAN_LINK_COUNT_LIMIT TRACES_EXPORTER ' +
  'TRACES_SAMPLER TRACES_SAMPLER_ARG'
).split(' ');
const SPECIFIED_OF_OTLP =
  'CERTIFICATE CLIENT_CERTIFICATE CLIENT_KEY COMPRESSION ENDPOINT HEADERS INSECURE PROTOCOL TIMEOUT'.split(' ');
const OTHERS_OF_OTLP =
  'METRICS_DEFAULT_HISTOGRAM_AGGREGATION METRICS_TEMPORALITY_PREFERENCE METRIC_INSECURE SPAN_INSECURE'.split(' ');

test('every variable of the specification is in the table', () => {
  const signals = ['', ...SIGNALS.map((signal) => `${signal.toUpperCase()}_`)];
  const ofOtlp = [...SPECIFIED_OF_OTLP.flatMap((what) => signals.map((signal) => signal + what)), ...OTHERS_OF_OTLP];
  const all = [...SPECIFIED, ...ofOtlp.map((name) => `EXPORTER_OTLP_${name}`)].map((name) => `OTEL_${name}`);
  expect(NAMES.toSorted()).toEqual(all.toSorted());
});

test.each(NAMES)('%s: each right value is taken, each wrong one is named', (name) => {
  const written = writtenOf.get(name) ?? '';
  for (const [value, beside] of RIGHT[written] ?? []) expect(messageOf({ ...beside, [name]: value }), value).toBe('');
  for (const [value, beside] of WRONG[written] ?? []) {
    const lines = messageOf({ ...beside, [name]: value }).split('\n');
    expect(lines, value).toHaveLength(1);
    expect(lines[0], value).toMatch(new RegExp(`^${name}[=:]`));
  }
});

test('all mistakes are told at once, unless telemetry is disabled', () => {
  const env = {
    OTEL_BSP_SCHEDULE_DELAY: '-1',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
    OTEL_TRACES_SAMPLER: 'sometimes',
  };
  expect(messageOf(env).split('\n')).toHaveLength(3);
  expect(messageOf({ ...env, OTEL_SDK_DISABLED: 'true' })).toBe('');
});

test('a misspelt word gets the right one', () => {
  const env = { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'dleta' };
  expect(messageOf(env)).toBe(
    'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=dleta: known: cumulative, delta, lowmemory; did you mean delta?',
  );
});

test('nothing of a malformed list is shown, as it may be a secret', () => {
  for (const list of [
    'Authorization: Bearer s3cret',
    'a=1,s3cret',
    'a=s3cret;x',
    'a=%zzs3cret',
    's3 cret=1',
    'a=s3cret\u0007',
  ])
    expect(messageOf({ OTEL_EXPORTER_OTLP_HEADERS: list }), list).toMatch(/^OTEL_EXPORTER_OTLP_HEADERS: entry [12] /);
  expect(messageOf({ OTEL_EXPORTER_OTLP_HEADERS: 'Authorization: Bearer s3cret,a' })).not.toContain('s3cret');
});

test('headers and attributes are decoded, and a value of a header may have more = in it', () => {
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic dTpw==, tenant = a%2Cb ,',
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'tenant=c',
  };
  expect(transport(env, 'traces').headers).toEqual({ authorization: 'Basic dTpw==', tenant: 'a,b' });
  expect(transport(env, 'logs').headers).toEqual({ authorization: 'Basic dTpw==', tenant: 'c' });
});

test("a signal's own variable decides before the one for all, known words may be in any case, and 0 is no limit", () => {
  const env = {
    OTEL_EXPORTER_OTLP_COMPRESSION: 'GZIP',
    OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_TIMEOUT: '0',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '700',
  };
  expect(SIGNALS.map((signal) => transport(env, signal).isZipped)).toEqual([true, true, false]);
  expect(SIGNALS.map((signal) => transport(env, signal).timeoutMs)).toEqual([2 ** 31 - 1, 700, 2 ** 31 - 1]);
  expect(timeout({}, 'X', 30_000)).toBe(30_000);
  expect(sampler({ OTEL_TRACES_SAMPLER: 'TraceIdRatio', OTEL_TRACES_SAMPLER_ARG: '0.5' }).toString()).toBe(
    'TraceIdRatioBased{0.5}',
  );
  expect(sampling({ OTEL_TRACES_SAMPLER_ARG: '0.5' })).toEqual({ root: 'always_on', isParentBased: true, ratio: 1 });
});

test('a limit for spans or events comes before the one for all attributes', () => {
  const env = {
    OTEL_ATTRIBUTE_COUNT_LIMIT: '10',
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '20',
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '30',
  };
  expect(spanLimits(env)).toMatchObject({
    attributeCountLimit: 20,
    attributeValueLengthLimit: 30,
    linkCountLimit: 128,
  });
  expect(attributeLimits(env, 'LOGRECORD')).toEqual({ attributeCountLimit: 10, attributeValueLengthLimit: 30 });
  expect(attributeLimits({}, 'SPAN')).toEqual({ attributeCountLimit: 128, attributeValueLengthLimit: Infinity });
});

test.each([
  ['http://c', 'http://c/v1/logs'],
  ['http://c/base/', 'http://c/base/v1/logs'],
  ['http://c/base?key=a/b', 'http://c/base/v1/logs?key=a/b'],
])('below the address %s is that of a signal: %s', (base, address) => {
  expect(destination({ OTEL_EXPORTER_OTLP_ENDPOINT: base }, 'logs')).toMatchObject({ address });
});

test('half a pair of key and certificate, and a key of another certificate, stop the start', () => {
  const both = (key: string, cert: string) => ({
    OTEL_EXPORTER_OTLP_CLIENT_KEY: key,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert,
  });
  expect(messageOf(both(PEM('client.key'), PEM('client.cert')))).toBe('');
  expect(messageOf(both(PEM('server.key'), PEM('client.cert')))).toContain('it is not the key of the certificate');
  expect(messageOf(both(PEM('client.key'), ''))).toContain('its certificate is missing');
  expect(messageOf(both('', PEM('client.cert')))).toContain('its key is missing');
});

test.each([
  ['OTEL_EXPORTER_OLTP_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  ['OTEL_TRACE_EXPORTER', 'OTEL_TRACES_EXPORTER'],
  ['OTEL_METRICS_EXPORT_INTERVAL', 'OTEL_METRIC_EXPORT_INTERVAL'],
  ['OTEL_EXPORTER_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  ['OTEL_RESOURCE_ATTRIBUTE', 'OTEL_RESOURCE_ATTRIBUTES'],
  ['OTEL_CONFIG', 'OTEL_CONFIG_FILE'],
])('%s is not known: did you mean %s?', (name, meant) => {
  expect(withoutEffect({ [name]: 'x' })).toEqual([`${name} is not known, and has no effect; did you mean ${meant}?`]);
});

test("an agent's and another language's variables are none of taut's business; what the SDK lacks is said", () => {
  const others = ['LOG_USER_PROMPTS', 'METRICS_INCLUDE_SESSION_ID', 'METRICS_INCLUDE_ACCOUNT_UUID', 'LOG_TOOL_DETAILS'];
  const languages = ['PYTHON_LOG_LEVEL', 'NODE_RESOURCE_DETECTORS', 'JAVAAGENT_ENABLED'];
  const env = Object.fromEntries([...others, ...languages].map((name) => [`OTEL_${name}`, '1']));
  expect(withoutEffect({ ...env, OTEL_PROPAGATORS: 'b3' })).toEqual([]);
  const mutual = { OTEL_EXPORTER_OTLP_CLIENT_KEY: PEM('client.key'), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' };
  const said = (signal: string) =>
    `OTEL_EXPORTER_OTLP_CLIENT_KEY has no effect on ${signal}: their address begins with http://, not https://`;
  expect(withoutEffect(mutual)).toEqual(SIGNALS.map(said));
  expect(withoutEffect({ ...mutual, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c' })).toEqual([]);
  expect(withoutEffect({ OTEL_ENTITIES: 'x', OTEL_METRICS_EXEMPLAR_FILTER: 'always_on' })).toHaveLength(2);
});

/** A configuration file with this text. */
function fileWith(text: string): { OTEL_CONFIG_FILE: string } {
  const dir = mkdtempSync(join(tmpdir(), 'taut-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'otel.yaml'), text);
  return { OTEL_CONFIG_FILE: join(dir, 'otel.yaml') };
}

const EVERYTHING = `
file_format: "1.1"
log_level: debug3
attribute_limits: { attribute_count_limit: 40 }
resource:
  attributes:
    - { name: service.name, value: mine }
    - { name: cores, value: 4, type: int }
  attributes_list: service.name=other,team=a%2Cb
propagator: { composite_list: b3 }
tracer_provider:
  processors:
    - batch:
        schedule_delay: 100
        exporter:
          otlp_http:
            endpoint: https://traces:4318/mine
            headers_list: tenant=a,key=old
            headers: [{ name: key, value: "new=1;2" }]
            compression: gzip
            timeout: 0
            encoding: json
            tls: { ca_file: ${PEM('server.cert')}, key_file: ${PEM('client.key')}, cert_file: ${PEM('client.cert')} }
  limits: { link_count_limit: 3, attribute_value_length_limit: 50 }
  sampler: { parent_based: { root: { trace_id_ratio_based: { ratio: 0.25 } } } }
meter_provider:
  readers:
    - periodic:
        interval: 5000
        exporter: { otlp_http: { temporality_preference: low_memory } }
`;

test('a configuration file stands instead of the variables, and says the same by its own', async () => {
  const env = { ...fileWith(EVERYTHING), OTEL_TRACES_EXPORTER: 'nonsense', OTEL_SERVICE_NAME: 'ignored' };
  const settled = await settle(env);
  expect(settled.resource).toEqual({ 'service.name': 'mine', cores: 4, team: 'a,b' });
  expect(settled.warnings).toEqual([
    'OTEL_CONFIG_FILE stands instead of OTEL_TRACES_EXPORTER, OTEL_SERVICE_NAME, which have no effect',
  ]);
  expect(destination(settled.env, 'traces')).toMatchObject({
    protocol: 'http/json',
    address: 'https://traces:4318/mine',
  });
  expect(destination(settled.env, 'metrics')).toMatchObject({ address: 'http://localhost:4318/v1/metrics' });
  expect(destination(settled.env, 'logs')).toEqual({ kind: 'none' });
  const { tls, ...how } = transport(settled.env, 'traces');
  expect(how).toEqual({ headers: { tenant: 'a', key: 'new=1;2' }, isZipped: true, timeoutMs: 2 ** 31 - 1 });
  expect(Object.keys(tls)).toEqual(['ca', 'key', 'cert']);
  expect(sampling(settled.env)).toEqual({ root: 'traceidratio', isParentBased: true, ratio: 0.25 });
  expect(spanLimits(settled.env)).toMatchObject({
    attributeCountLimit: 40,
    attributeValueLengthLimit: 50,
    linkCountLimit: 3,
  });
  expect(settled.env).toMatchObject({
    OTEL_LOG_LEVEL: 'debug',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'lowmemory',
  });
});

const OTLP = 'exporter: { otlp_http: {} }';
const traces = (text: string) => `file_format: "1.1"\ntracer_provider: { ${text} }\n`;

test.each([
  ['file_format: "1.1"\nresource: [', /otel\.yaml: .* at line 2, column 12$/],
  ['file_format: "2.0"\n', /file_format/],
  ['disabled: false\n', /file_format/],
  [traces(`processors: [{ batch: { ${OTLP}, schedule_delay: soon } }]`), /processors.*schedule_delay/],
  [traces(`processors: [{ simple: { ${OTLP} } }]`), /tracer_provider\.processors\[0\]\.simple/],
  [traces('processors: [{ batch: { exporter: { console: } } }]'), /processors\[0\]\.batch\.exporter\.console/],
  [traces(`processors: [{ batch: { ${OTLP} } }, { batch: { ${OTLP} } }]`), /processors\[1\]: .*one place/],
  [
    traces(`processors: [{ batch: { ${OTLP} } }], sampler: { "jaeger_remote/development": { endpoint: "http://x" } }`),
    /jaeger/,
  ],
  [traces('processors: [{ batch: { exporter: { otlp_http: { endpoint: "x:1" } } } }]'), /otlp_http\.endpoint=x:1/],
  [traces('processors: [{ batch: { exporter: { otlp_http: { headers_list: "s3cret" } } } }]'), /headers_list: entry 1/],
  [traces('processors: [{ batch: { exporter: { otlp_http: { tls: { ca_file: /none } } } } }]'), /tls\.ca_file=\/none/],
  ['file_format: "1.1"\nviews: []\n', /: views: taut can't do that/],
  ['file_format: "1.1"\nresource: { attributes_list: "a=%zz" }\n', /resource\.attributes_list: entry 1/],
  [
    'file_format: "1.1"\nresource: { "detection/development": { attributes: { excluded: [host.id] } } }\n',
    /resource\.detection\/development\.attributes: taut can't do that/,
  ],
  [
    traces(`processors: [{ batch: { ${OTLP}, schedule_delai: 5 } }]`),
    /processors\[0\]\.batch\.schedule_delai: this is not known; did you mean schedule_delay\?$/,
  ],
  [
    traces(
      `processors: [{ batch: { ${OTLP} } }], sampler: { parent_based: { remote_parent_sampled: { always_off: } } }`,
    ),
    /parent_based\.remote_parent_sampled\.always_off: taut knows always_on here$/,
  ],
])("what of a file can't be done stops the start with its place: %s", async (text, place) => {
  const env = fileWith(text);
  const error = await settle(env).catch((thrown: Error) => thrown);
  expect(error).toBeInstanceOf(TelemetryConfigError);
  const { message } = error as TelemetryConfigError;
  expect(message).toMatch(place);
  expect(message).toContain(env.OTEL_CONFIG_FILE);
  expect(message).not.toContain('s3cret');
});

test('all that a file has and taut can not do is told at once', async () => {
  const text = `file_format: "1.1"\nviews: []\n${traces(`processors: [{ simple: { ${OTLP} } }]`).split('\n')[1]}\n`;
  const error = await settle(fileWith(text)).catch((thrown: Error) => thrown);
  expect((error as Error).message.split('\n')).toHaveLength(2);
});

/** "otel-getting-started.yaml" and the sampler of "otel-sdk-config.yaml", of opentelemetry-configuration 1.1.0. */
const GETTING_STARTED = `
file_format: "1.1"
resource:
  attributes_list: \${OTEL_RESOURCE_ATTRIBUTES}
  detection/development: { detectors: [{ service: }, { host: }, { process: }, { container: }] }
propagator: { composite: [{ tracecontext: }, { baggage: }] }
tracer_provider:
  sampler:
    parent_based:
      root: { always_on: }
      remote_parent_sampled: { always_on: }
      remote_parent_not_sampled: { always_off: }
      local_parent_sampled: { always_on: }
      local_parent_not_sampled: { always_off: }
  processors:
    - batch:
        exporter:
          otlp_http: { endpoint: "\${NO_SUCH_ENDPOINT:-http://localhost:4318}/v1/traces" }
`;

test("the specification's own examples are taken; taut says what in them has no effect", async () => {
  const settled = await settle({ ...fileWith(GETTING_STARTED), OTEL_PROPAGATORS: 'b3' });
  expect(destination(settled.env, 'traces')).toMatchObject({ address: 'http://localhost:4318/v1/traces' });
  expect(settled.warnings).toEqual([
    expect.stringMatching(/otel\.yaml: resource\.detection\/development has no effect: /),
  ]);
});

test("what is no file stops the start, and can't hold it up", async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const path of [pipe, dir, '/dev/zero']) {
    await expect(settle({ OTEL_CONFIG_FILE: path }), path).rejects.toThrow(
      `OTEL_CONFIG_FILE=${path}: it is not a file`,
    );
    for (const what of ['CERTIFICATE', 'CLIENT_KEY', 'CLIENT_CERTIFICATE'])
      expect(messageOf({ [`OTEL_EXPORTER_OTLP_${what}`]: path }), path).toContain("it can't be read: it is not a file");
  }
});

test('a file that is not there stops the start', async () => {
  await expect(settle({ OTEL_CONFIG_FILE: '/none/otel.yaml' })).rejects.toThrow(
    /OTEL_CONFIG_FILE=\/none\/otel.yaml: ENOENT/,
  );
});
