/** Which variable says what a place of the configuration file says. */
import { nearest } from '../../src/config/nearest.ts';
import { listOf } from './pairs.ts';
import { mistakesOf, TelemetryConfigError, wrong } from './values.ts';

type Say = (variable: string, value: string, place: string) => void;
/** Says by variables what the file has at a place. @throws TelemetryConfigError for what taut can't do. */
type Part = (value: unknown, place: string, say: Say) => void;
type Model = Readonly<Record<string, unknown>>;

const cannot = (place: string, why = "taut can't do that"): never => wrong(place, undefined, why);

/** A value for which there is a variable. */
const value =
  (variable: string, words: Readonly<Record<string, string>> = {}): Part =>
  (given, place, say) =>
    given === null || say(variable, words[String(given)] ?? String(given), place);

/** Nothing of this concerns taut. */
const nothing: Part = () => {};

/** A mapping with these keys, and no others. All that is wrong in it is told at once. */
const keys =
  (parts: Readonly<Record<string, Part>>): Part =>
  (given, place, say) => {
    const checks = Object.entries((given ?? {}) as Model).map(([key, one]) => () => {
      const at = place === '' ? key : `${place}.${key}`;
      const part = Object.hasOwn(parts, key) ? parts[key] : undefined;
      (part ?? unknown(at, key, Object.keys(parts)))(one, at, say);
    });
    const mistakes = mistakesOf(checks);
    if (mistakes.length > 0) throw new TelemetryConfigError(mistakes);
  };

function unknown(place: string, key: string, known: readonly string[]): never {
  const near = nearest(key, known);
  return cannot(place, near === undefined ? undefined : `this is not known; did you mean ${near}?`);
}

/** A list of just one. */
const single =
  (part: Part): Part =>
  (given, place, say) => {
    const list = given as readonly unknown[];
    if (list.length > 1) cannot(`${place}[1]`, 'taut exports each signal to one place');
    part(list[0], `${place}[0]`, say);
  };

const both =
  (...parts: readonly Part[]): Part =>
  (given, place, say) => {
    for (const part of parts) part(given, place, say);
  };

type Pairs = readonly { readonly name: string; readonly value: string | null }[];

/** The list comes first, so that single headers decide. */
const headers =
  (variable: string): Part =>
  (given, place, say) => {
    const { headers: some, headers_list: list } = given as { headers?: Pairs; headers_list?: string | null };
    const pairs = (some ?? []).flatMap(({ name, value: text }) => (text === null ? [] : [[name, text] as const]));
    const all = [...(list ? [list] : []), ...(pairs.length > 0 ? [listOf(Object.fromEntries(pairs))] : [])];
    if (all.length > 0) say(variable, all.join(','), `${place}.${list ? 'headers_list' : 'headers'}`);
  };

type Prefix = 'TRACES' | 'METRICS' | 'LOGS';

function exporter(signal: Prefix, more: Readonly<Record<string, Part>> = {}): Part {
  const of = (what: string) => `OTEL_EXPORTER_OTLP_${signal}_${what}`;
  const http = keys({
    endpoint: value(of('ENDPOINT')),
    tls: keys({
      ca_file: value(of('CERTIFICATE')),
      key_file: value(of('CLIENT_KEY')),
      cert_file: value(of('CLIENT_CERTIFICATE')),
    }),
    headers: nothing,
    headers_list: nothing,
    compression: value(of('COMPRESSION')),
    timeout: value(of('TIMEOUT')),
    encoding: value(of('PROTOCOL'), { protobuf: 'http/protobuf', json: 'http/json' }),
    ...more,
  });
  const otlp: Part = (_given, place, say) => say(`OTEL_${signal}_EXPORTER`, 'otlp', place);
  const withHeaders: Part = (given, place, say) => headers(of('HEADERS'))(given ?? {}, place, say);
  return keys({ otlp_http: both(otlp, withHeaders, http) });
}

const processors = (signal: Prefix, prefix: 'OTEL_BSP' | 'OTEL_BLRP') =>
  single(
    keys({
      batch: keys({
        schedule_delay: value(`${prefix}_SCHEDULE_DELAY`),
        export_timeout: value(`${prefix}_EXPORT_TIMEOUT`),
        max_queue_size: value(`${prefix}_MAX_QUEUE_SIZE`),
        max_export_batch_size: value(`${prefix}_MAX_EXPORT_BATCH_SIZE`),
        exporter: exporter(signal),
      }),
    }),
  );

const attributeLimits = (prefix: string) => ({
  attribute_value_length_limit: value(`${prefix}ATTRIBUTE_VALUE_LENGTH_LIMIT`),
  attribute_count_limit: value(`${prefix}ATTRIBUTE_COUNT_LIMIT`),
});

const sampler = (prefix: string): Readonly<Record<string, Part>> => {
  const named =
    (name: string): Part =>
    (_given, place, say) =>
      say('OTEL_TRACES_SAMPLER', `${prefix}${name}`, place);
  return {
    always_on: named('always_on'),
    always_off: named('always_off'),
    trace_id_ratio_based: both(named('traceidratio'), keys({ ratio: value('OTEL_TRACES_SAMPLER_ARG') })),
  };
};

/** Four degrees of each severity; the SDK knows one. */
const SEVERITIES = { trace: 'verbose', debug: 'debug', info: 'info', warn: 'warn', error: 'error', fatal: 'error' };
const LEVELS = Object.fromEntries(
  Object.entries(SEVERITIES).flatMap(([name, level]) => ['', 2, 3, 4].map((degree) => [`${name}${degree}`, level])),
);

/** What an SDK does by default with a trace that somebody else has begun: taut does the same, and nothing else. */
const just =
  (name: string): Part =>
  (given, place) => {
    const [other] = Object.keys((given ?? {}) as Model).filter((key) => key !== name);
    if (other !== undefined) cannot(`${place}.${other}`, `taut knows ${name} here`);
  };

/** What finds these taut has by itself: see the warning of `configFile.ts`. */
const detectors: Part = (given, place, say) => {
  const each = keys({ container: nothing, host: nothing, process: nothing, service: nothing });
  for (const [i, one] of ((given ?? []) as readonly unknown[]).entries()) each(one, `${place}[${i}]`, say);
};

const noExporters: Part = (given, _place, say) => {
  for (const [key, signal] of [
    ['tracer_provider', 'TRACES'],
    ['meter_provider', 'METRICS'],
    ['logger_provider', 'LOGS'],
  ] as const)
    if (!(given as Model)[key]) say(`OTEL_${signal}_EXPORTER`, 'none', key);
};

/** The whole file, as OpenTelemetry's schema has it. */
export const SHAPE: Part = both(
  noExporters,
  keys({
    disabled: value('OTEL_SDK_DISABLED'),
    log_level: value('OTEL_LOG_LEVEL', LEVELS),
    attribute_limits: keys(attributeLimits('OTEL_')),
    resource: keys({
      attributes: nothing,
      attributes_list: nothing,
      'detection/development': keys({ detectors }),
    }),
    tracer_provider: keys({
      processors: processors('TRACES', 'OTEL_BSP'),
      limits: keys({
        ...attributeLimits('OTEL_SPAN_'),
        event_count_limit: value('OTEL_SPAN_EVENT_COUNT_LIMIT'),
        link_count_limit: value('OTEL_SPAN_LINK_COUNT_LIMIT'),
        event_attribute_count_limit: value('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
        link_attribute_count_limit: value('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
      }),
      sampler: keys({
        ...sampler(''),
        parent_based: keys({
          root: keys(sampler('parentbased_')),
          remote_parent_sampled: just('always_on'),
          remote_parent_not_sampled: just('always_off'),
          local_parent_sampled: just('always_on'),
          local_parent_not_sampled: just('always_off'),
        }),
      }),
      id_generator: keys({ random: nothing }),
    }),
    meter_provider: keys({
      readers: single(
        keys({
          periodic: keys({
            interval: value('OTEL_METRIC_EXPORT_INTERVAL'),
            timeout: value('OTEL_METRIC_EXPORT_TIMEOUT'),
            exporter: exporter('METRICS', {
              temporality_preference: value('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', {
                low_memory: 'lowmemory',
              }),
              default_histogram_aggregation: value('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'),
            }),
          }),
        }),
      ),
      exemplar_filter: value('OTEL_METRICS_EXEMPLAR_FILTER'),
    }),
    logger_provider: keys({
      processors: processors('LOGS', 'OTEL_BLRP'),
      limits: keys(attributeLimits('OTEL_LOGRECORD_')),
    }),
    propagator: nothing,
    'instrumentation/development': nothing,
    distribution: nothing,
  }),
);
