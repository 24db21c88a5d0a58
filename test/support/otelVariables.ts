/** Right and wrong values of OpenTelemetry's environment variables, by how their table writes the names. */
import { join } from 'node:path';

const TLS = join(import.meta.dirname, '../kernel/fixtures/tls');
/** The path of a certificate or key of the tests: `client.key` and others. */
export const PEM = (name: string): string => join(TLS, `${name}.pem`);

/** A value, and what is set beside it. */
type Value = readonly [value: string, beside?: Readonly<Record<string, string>>];
type Values = Readonly<Record<string, readonly Value[]>>;

const of = (...values: string[]): Value[] => values.map((value) => [value]);
/** An empty value is no value. */
const COUNTS = of('', '0', '128');
const LENGTHS = of('', '1', '128');
const NO_COUNT = of('many', '-1', '1.5', '2147483648');
const NO_LENGTH = [...NO_COUNT, ...of('0')];
const TIMES = of('0', '100');
const ANY = of('whatever');
const LEVELS = of('none', 'error', 'WARN', 'info', 'debug', 'verbose', 'all');

const PAIR = {
  OTEL_EXPORTER_OTLP_CLIENT_KEY: PEM('client.key'),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: PEM('client.cert'),
};

export const RIGHT: Values = {
  OTEL_SDK_DISABLED: of('true', 'TRUE', 'false', ''),
  OTEL_CONFIG_FILE: [],
  OTEL_EXPERIMENTAL_CONFIG_FILE: of(''),
  OTEL_SERVICE_NAME: ANY,
  OTEL_RESOURCE_ATTRIBUTES: of('a=b', 'a=b, c.d=e%2Cf%3D,', 'a='),
  OTEL_ENTITIES: ANY,
  OTEL_LOG_LEVEL: LEVELS,
  OTEL_PROPAGATORS: ANY,
  OTEL_TRACES_SAMPLER: of('always_on', 'parentbased_traceidratio', 'TraceIdRatio'),
  OTEL_TRACES_SAMPLER_ARG: [['0.5', { OTEL_TRACES_SAMPLER: 'traceidratio' }], ['nonsense']],
  ...batches('OTEL_BSP', TIMES, of('2048'), of('512')),
  ...batches('OTEL_BLRP', TIMES, of('2048'), of('512')),
  OTEL_ATTRIBUTE_COUNT_LIMIT: COUNTS,
  OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: LENGTHS,
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: COUNTS,
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: LENGTHS,
  OTEL_SPAN_EVENT_COUNT_LIMIT: COUNTS,
  OTEL_SPAN_LINK_COUNT_LIMIT: COUNTS,
  OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: COUNTS,
  OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: COUNTS,
  OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: COUNTS,
  OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: LENGTHS,
  OTEL_TRACES_EXPORTER: of('otlp', 'NONE'),
  OTEL_METRICS_EXPORTER: of('otlp', 'none'),
  OTEL_LOGS_EXPORTER: of('otlp', 'none'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]ENDPOINT': of('http://127.0.0.1:9', 'https://c/base/', ' '),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]PROTOCOL': of('http/protobuf', 'HTTP/JSON'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]HEADERS': of('api-key=x', 'authorization=Basic%20eDp5==', 'a=1,b=2,'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]COMPRESSION': of('gzip', 'none'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]TIMEOUT': TIMES,
  'OTEL_EXPORTER_OTLP_[SIGNAL_]CERTIFICATE': of(PEM('server.cert')),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]CLIENT_KEY': [[PEM('client.key'), PAIR]],
  'OTEL_EXPORTER_OTLP_[SIGNAL_]CLIENT_CERTIFICATE': [[PEM('client.cert'), PAIR]],
  'OTEL_EXPORTER_OTLP_[SIGNAL_]INSECURE': ANY,
  OTEL_EXPORTER_OTLP_SPAN_INSECURE: ANY,
  OTEL_EXPORTER_OTLP_METRIC_INSECURE: ANY,
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: of('cumulative', 'Delta', 'lowmemory'),
  OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: of('base2_exponential_bucket_histogram'),
  OTEL_METRICS_EXEMPLAR_FILTER: of('always_on', 'always_off', 'trace_based'),
  OTEL_METRIC_EXPORT_INTERVAL: of('1', '60000'),
  OTEL_METRIC_EXPORT_TIMEOUT: TIMES,
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: ANY,
  OTEL_EXPORTER_ZIPKIN_TIMEOUT: ANY,
  OTEL_EXPORTER_ZIPKIN_PROTOCOL: ANY,
  OTEL_EXPORTER_PROMETHEUS_HOST: ANY,
  OTEL_EXPORTER_PROMETHEUS_PORT: ANY,
};

const LISTS = of('b', 'a=b,c', 'a=%zz', '=b');
const FILES = of('/none', import.meta.filename);

export const WRONG: Values = {
  OTEL_SDK_DISABLED: of('yes', '1'),
  OTEL_EXPERIMENTAL_CONFIG_FILE: of('otel.yaml'),
  OTEL_RESOURCE_ATTRIBUTES: [...LISTS, ...of('a=b=c')],
  OTEL_LOG_LEVEL: of('loud'),
  OTEL_TRACES_SAMPLER: of('sometimes', 'jaeger_remote', 'xray'),
  OTEL_TRACES_SAMPLER_ARG: ['2', '-1', 'half'].map((value) => [value, { OTEL_TRACES_SAMPLER: 'traceidratio' }]),
  ...batches('OTEL_BSP', NO_COUNT, NO_LENGTH, [...NO_LENGTH, ...of('4096')]),
  ...batches('OTEL_BLRP', NO_COUNT, NO_LENGTH, [...NO_LENGTH, ...of('4096')]),
  OTEL_ATTRIBUTE_COUNT_LIMIT: NO_COUNT,
  OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: NO_LENGTH,
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: NO_COUNT,
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: NO_LENGTH,
  OTEL_SPAN_EVENT_COUNT_LIMIT: NO_COUNT,
  OTEL_SPAN_LINK_COUNT_LIMIT: NO_COUNT,
  OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: NO_COUNT,
  OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: NO_COUNT,
  OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: NO_COUNT,
  OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: NO_LENGTH,
  OTEL_TRACES_EXPORTER: of('zipkin', 'console', 'otlp,none', 'otlp/stdout'),
  OTEL_METRICS_EXPORTER: of('prometheus', 'statsd'),
  OTEL_LOGS_EXPORTER: of('logging'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]ENDPOINT': of('collector:4318', 'ftp://c', 'nowhere'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]PROTOCOL': of('grpc', 'http', 'http/xml'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]HEADERS': [...LISTS, ...of('authorization: Bearer x', 'a=b;c', 'a=', 'a b=c', 'a=%0a')],
  'OTEL_EXPORTER_OTLP_[SIGNAL_]COMPRESSION': of('zstd', 'gz'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]TIMEOUT': of('abc', '-5', '1.5', '10s'),
  'OTEL_EXPORTER_OTLP_[SIGNAL_]CERTIFICATE': FILES,
  'OTEL_EXPORTER_OTLP_[SIGNAL_]CLIENT_KEY': [...FILES, ...of(PEM('client.cert'), PEM('client.key'))],
  'OTEL_EXPORTER_OTLP_[SIGNAL_]CLIENT_CERTIFICATE': [...FILES, ...of(PEM('client.key'), PEM('client.cert'))],
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: of('dleta'),
  OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: of('exponential'),
  OTEL_METRICS_EXEMPLAR_FILTER: of('sometimes'),
  OTEL_METRIC_EXPORT_INTERVAL: [...NO_LENGTH],
  OTEL_METRIC_EXPORT_TIMEOUT: NO_COUNT,
};

/** In the order of the table. */
function batches(prefix: string, times: readonly Value[], queue: readonly Value[], batch: readonly Value[]): Values {
  return {
    [`${prefix}_SCHEDULE_DELAY`]: times,
    [`${prefix}_EXPORT_TIMEOUT`]: times,
    [`${prefix}_MAX_QUEUE_SIZE`]: queue,
    [`${prefix}_MAX_EXPORT_BATCH_SIZE`]: batch,
  };
}
