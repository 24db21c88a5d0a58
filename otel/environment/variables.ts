/**
 * OpenTelemetry's environment variables, one entry each, and what taut does with them: `npm run docs` writes it into
 * `docs/telemetry.md`, and each start goes by it. The lists are the specification's: "Environment Variable Specification",
 * "OpenTelemetry Protocol Exporter", and the metrics exporter of OTLP.
 */
import { exporterOf, isDisabled, protocolOf, urlOf } from './destination.ts';
import { attributesOf, headersOf } from './pairs.ts';
import { sampling } from './sampling.ts';
import { certificate, privateKey } from './tlsFiles.ts';
import { COMPRESSIONS, TIMEOUT_MS } from './transport.ts';
import { type Env, oneOf, SIGNALS, timeout, wholeNumber, wrong } from './values.ts';

/** `refused`: a start ends that has it. `without effect`: taut has nothing that it could be about. */
type Use = 'honoured' | 'refused' | 'without effect';

export interface Variable {
  /** One, or those of a kind. */
  readonly names: readonly string[];
  /** How the page writes the names. */
  readonly written: string;
  readonly use: Use;
  /** Which values there are, and what they do: Markdown. */
  readonly rule: string;
  /** Where taut does something else than the specification: Markdown. */
  readonly deviation?: string;
  /** @throws TelemetryConfigError for a value that can't be understood. */
  readonly check?: (env: Env, name: string) => unknown;
}

export const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const;
export const TEMPORALITIES = ['cumulative', 'delta', 'lowmemory'] as const;
export const AGGREGATIONS = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;
export const EXEMPLAR_FILTERS = ['always_on', 'always_off', 'trace_based'] as const;

/** The specification wants a warning, and the default. */
const STOPS = 'another value stops the start';

type Rest = Omit<Variable, 'names' | 'written'>;

const one = (name: string, rest: Rest): Variable => ({ names: [name], written: name, ...rest });

/** One for all signals, and one for each. */
const ofOtlp = (what: string, rest: Rest): Variable => ({
  names: ['', ...SIGNALS.map((signal) => `${signal.toUpperCase()}_`)].map((s) => `OTEL_EXPORTER_OTLP_${s}${what}`),
  written: `OTEL_EXPORTER_OTLP_[SIGNAL_]${what}`,
  ...rest,
});

const count = (name: string, what: string): Variable =>
  one(name, {
    use: 'honoured',
    rule: `${what} (128)`,
    deviation: STOPS,
    check: (env) => wholeNumber(env, name, 0, 0),
  });

const length = (name: string, what: string): Variable =>
  one(name, {
    use: 'honoured',
    rule: `${what} (no limit)`,
    deviation: `${STOPS}; so does 0, which the SDK does not take`,
    check: (env) => wholeNumber(env, name, 1),
  });

const batches = (prefix: 'OTEL_BSP' | 'OTEL_BLRP', items: string, delay: number): Variable[] => {
  const of = (what: string, rule: string, check: Variable['check'] & {}, deviation = STOPS) =>
    one(`${prefix}_${what}`, { use: 'honoured', rule, deviation, check });
  return [
    of('SCHEDULE_DELAY', `milliseconds between two exports (${delay})`, (env, name) => wholeNumber(env, name, 0, 0)),
    of('EXPORT_TIMEOUT', 'milliseconds that an export may take (30000); 0: no limit', (env, name) =>
      timeout(env, name, 0),
    ),
    of('MAX_QUEUE_SIZE', `most ${items} that wait to be exported (2048)`, (env, name) => wholeNumber(env, name, 1)),
    of(
      'MAX_EXPORT_BATCH_SIZE',
      `most ${items} in one export (512, or what the queue holds)`,
      (env, name) => batchSize(env, name, `${prefix}_MAX_QUEUE_SIZE`),
      `${STOPS}; so does more than the queue holds`,
    ),
  ];
};

function batchSize(env: Env, name: string, queue: string): void {
  const size = wholeNumber(env, name, 1);
  const most = wholeNumber(env, queue, 2048);
  if (size > most) wrong(name, env[name], `${queue} holds ${most}`);
}

const exporter = (name: string, others: string): Variable =>
  one(name, {
    use: 'honoured',
    rule: `\`otlp\`, \`none\`. Unset: over OTLP if there is an endpoint, else into files`,
    deviation: `the specification's default is \`otlp\`; ${others}, and lists stop the start`,
    check: exporterOf,
  });

const aboutNothing = (names: readonly string[], rule: string): Variable[] =>
  names.map((name) => one(name, { use: 'without effect', rule }));

export const VARIABLES: readonly Variable[] = [
  one('OTEL_SDK_DISABLED', {
    use: 'honoured',
    rule: '`true`: nothing is exported, and no other variable is looked at; `false`',
    deviation: STOPS,
    check: isDisabled,
  }),
  one('OTEL_CONFIG_FILE', {
    use: 'honoured',
    rule: 'the path of a [configuration file](#a-configuration-file), which stands instead of all other variables',
    deviation: "what taut can't do stops the start",
  }),
  one('OTEL_EXPERIMENTAL_CONFIG_FILE', {
    use: 'refused',
    rule: 'the old name of `OTEL_CONFIG_FILE`',
    deviation: 'it stops the start',
    check: (env, name) => wrong(name, env[name], 'this is the old name of OTEL_CONFIG_FILE'),
  }),
  one('OTEL_SERVICE_NAME', { use: 'honoured', rule: '`service.name` (`taut`)' }),
  one('OTEL_RESOURCE_ATTRIBUTES', {
    use: 'honoured',
    rule: 'attributes of the resource: `key=value,key=value`, percent-encoded',
    deviation: 'a malformed list stops the start',
    check: attributesOf,
  }),
  one('OTEL_ENTITIES', { use: 'without effect', rule: "the SDK has no entities; taut says so if it's set" }),
  one('OTEL_LOG_LEVEL', {
    use: 'honoured',
    rule: `what the SDK may say in taut's log: ${LOG_LEVELS.map((l) => `\`${l}\``).join(', ')} (\`warn\`)`,
    deviation: `${STOPS}; the specification's default is \`info\``,
    check: (env, name) => oneOf(env, name, LOG_LEVELS),
  }),
  one('OTEL_PROPAGATORS', {
    use: 'honoured',
    rule: '`taut run` [hands a trace on](#the-trace-of-a-run) where the list has `tracecontext` (`tracecontext,baggage`)',
    deviation: 'other propagators are left to the command',
  }),
  one('OTEL_TRACES_SAMPLER', {
    use: 'honoured',
    rule: '`always_on`, `always_off`, `traceidratio`, and each with `parentbased_` before it (`parentbased_always_on`)',
    deviation: `${STOPS}; so do \`jaeger_remote\` and \`xray\``,
    check: sampling,
  }),
  one('OTEL_TRACES_SAMPLER_ARG', {
    use: 'honoured',
    rule: 'of `traceidratio`: which part of the traces, from 0 to 1 (1)',
    deviation: STOPS,
    check: sampling,
  }),
  ...batches('OTEL_BSP', 'spans', 5000),
  ...batches('OTEL_BLRP', 'events', 1000),
  count('OTEL_ATTRIBUTE_COUNT_LIMIT', 'most attributes of a span or an event'),
  length('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'most characters of their values'),
  count('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'the same for spans'),
  length('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'the same for spans'),
  count('OTEL_SPAN_EVENT_COUNT_LIMIT', 'most events of a span'),
  count('OTEL_SPAN_LINK_COUNT_LIMIT', 'most links of a span'),
  count('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', "most attributes of a span's event"),
  count('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'most attributes of a link'),
  count('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'most attributes of an event'),
  length('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'most characters of their values'),
  exporter('OTEL_TRACES_EXPORTER', '`zipkin`, `console`, `otlp/stdout`'),
  exporter('OTEL_METRICS_EXPORTER', '`prometheus`, `console`, `otlp/stdout`'),
  exporter('OTEL_LOGS_EXPORTER', '`console`, `otlp/stdout`'),
  ofOtlp('ENDPOINT', {
    use: 'honoured',
    rule: "an `http://` or `https://` address (`http://localhost:4318`); a signal's own is used as it is",
    deviation: STOPS,
    check: urlOf,
  }),
  ofOtlp('PROTOCOL', {
    use: 'honoured',
    rule: '`http/protobuf`, `http/json` (`http/protobuf`)',
    deviation: `${STOPS}; so does \`grpc\``,
    check: protocolOf,
  }),
  ofOtlp('HEADERS', {
    use: 'honoured',
    rule: "headers of each request: `key=value,key=value`, percent-encoded; a signal's own are added. They are never shown",
    deviation: 'a malformed list, a `;` and an empty value stop the start',
    check: headersOf,
  }),
  ofOtlp('COMPRESSION', {
    use: 'honoured',
    rule: '`gzip`, `none` (`none`)',
    deviation: STOPS,
    check: (env, name) => oneOf(env, name, COMPRESSIONS),
  }),
  ofOtlp('TIMEOUT', {
    use: 'honoured',
    rule: `milliseconds that a request may take (${TIMEOUT_MS}); 0: no limit. Of metrics: no longer than their export`,
    deviation: STOPS,
    check: (env, name) => timeout(env, name, 0),
  }),
  ofOtlp('CERTIFICATE', {
    use: 'honoured',
    rule: 'a file in PEM format: who may have signed the certificate of the backend',
    deviation: "a file that can't be read or understood stops the start",
    check: certificate,
  }),
  ofOtlp('CLIENT_KEY', {
    use: 'honoured',
    rule: "a file in PEM format: taut's own key, without a passphrase",
    deviation: 'the same, and a key without its certificate',
    check: privateKey,
  }),
  ofOtlp('CLIENT_CERTIFICATE', {
    use: 'honoured',
    rule: "a file in PEM format: taut's own certificate",
    deviation: 'the same, and a certificate without its key, or with another one',
    check: certificate,
  }),
  ofOtlp('INSECURE', { use: 'without effect', rule: 'it is about gRPC' }),
  ...aboutNothing(['OTEL_EXPORTER_OTLP_SPAN_INSECURE', 'OTEL_EXPORTER_OTLP_METRIC_INSECURE'], 'it is about gRPC'),
  one('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', {
    use: 'honoured',
    rule: '`cumulative`, `delta`, `lowmemory` (`cumulative`); files are always `cumulative`',
    deviation: STOPS,
    check: (env, name) => oneOf(env, name, TEMPORALITIES),
  }),
  one('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', {
    use: 'honoured',
    rule: "`explicit_bucket_histogram`, `base2_exponential_bucket_histogram`, of the SDK's own histograms; those of agents are always exponential",
    deviation: STOPS,
    check: (env, name) => oneOf(env, name, AGGREGATIONS),
  }),
  one('OTEL_METRICS_EXEMPLAR_FILTER', {
    use: 'without effect',
    rule: 'the SDK has no exemplars, which is `always_off`; taut says so of `always_on`',
    deviation: `a value other than \`always_on\`, \`always_off\`, \`trace_based\` stops the start`,
    check: (env, name) => oneOf(env, name, EXEMPLAR_FILTERS),
  }),
  one('OTEL_METRIC_EXPORT_INTERVAL', {
    use: 'honoured',
    rule: 'milliseconds between two collections (60000; into files 10000)',
    deviation: `${STOPS}; so does 0`,
    check: (env, name) => wholeNumber(env, name, 1),
  }),
  one('OTEL_METRIC_EXPORT_TIMEOUT', {
    use: 'honoured',
    rule: 'milliseconds that an export may take (30000), the interval at most; 0: the interval',
    deviation: STOPS,
    check: (env, name) => timeout(env, name, 0),
  }),
  ...aboutNothing(
    ['OTEL_EXPORTER_ZIPKIN_ENDPOINT', 'OTEL_EXPORTER_ZIPKIN_TIMEOUT', 'OTEL_EXPORTER_ZIPKIN_PROTOCOL'],
    'taut has no exporter for Zipkin',
  ),
  ...aboutNothing(
    ['OTEL_EXPORTER_PROMETHEUS_HOST', 'OTEL_EXPORTER_PROMETHEUS_PORT'],
    'taut has no exporter that Prometheus would ask; Prometheus takes OTLP',
  ),
];
