/** Starts OpenTelemetry from the standard OTEL_* variables, and ends it within a time limit. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Attributes, diag, logs, metrics, trace } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  hostDetector,
  osDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type IdGenerator, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { startOf } from '../src/proc/identity.ts';
import { metricsFrom } from '../src/telemetry/metrics.ts';
import { SCHEMA_URL } from '../src/telemetry/schema.ts';
import type { ExpHistogram, RunQueueTime, Snapshot } from '../src/tracer/series.ts';
import { CanaryLatency } from './canaryProducer.ts';
import { Spool } from './delivery/spool.ts';
import { observeWaiting } from './delivery/waiting.ts';
import { attributeLimits, spanLimits } from './environment/limits.ts';
import { logLevel } from './environment/logLevel.ts';
import { settle } from './environment/settle.ts';
import {
  type Destination,
  destination,
  type Env,
  isDisabled,
  SIGNALS,
  type SignalName,
  timeout,
  wholeNumber,
} from './environment.ts';
import { Exported } from './exported.ts';
import { createExporters, sinkFile, where } from './exporters.ts';
import { countExports } from './health.ts';
import { hostForJaeger, placeAttributes } from './place.ts';
import { KernelHistograms } from './producer.ts';
import { masked } from './readable.ts';
import type { Exporter } from './reportFailures.ts';
import { idsAfter, type ReservedIds } from './reservedIds.ts';
import { RunQueueTimes } from './runQueueProducer.ts';
import { sampler } from './sampler.ts';
import { complaints, rarely } from './sayRarely.ts';
import { Soon } from './soon.ts';

type Say = (text: string) => void;

export interface TelemetryOptions {
  readonly env: Env;
  /** The embedded sink writes `<stateDir>/otlp/{traces,metrics,logs}.jsonl`. */
  readonly stateDir: string;
  /** Why the embedded sink can't write there; undefined when it can. */
  readonly sinkProblem: string | undefined;
  /** What a backend does not take now waits in `<stateDir>/spool`, up to so many bytes; 0: in memory. */
  readonly spoolLimit: number;
  /** Why nothing can be kept there; undefined when it can. */
  readonly spoolProblem: string | undefined;
  readonly serviceVersion: string;
  /** Undefined when nothing is measured. */
  readonly measured?: Measured;
  /** More attributes of the resource; what the environment says comes first. */
  readonly resource?: Attributes;
  /** Ids that the first span is to have. */
  readonly firstSpan?: ReservedIds | undefined;
  /** Called for problems, like a failed export: at most once a minute for each. */
  readonly onWarning: (message: string) => void;
  /** Called for what the SDK says beyond problems, where OTEL_LOG_LEVEL asks for it. Without it that is not said. */
  readonly onDetail?: (message: string) => void;
}

/** The sources of each collection. */
export interface Measured {
  /** How much taut can measure here. */
  readonly mode: () => string;
  /** The kernel's histograms, cumulative. */
  readonly snapshots: () => Iterable<Snapshot>;
  /** The run queue times of mode `schedstat`, cumulative. */
  readonly runQueueTimes: () => readonly RunQueueTime[];
  /** Called when what was read last of these has been exported, so that what has ended may be left out. */
  readonly exported: () => void;
  /** Wakeup latency of the canary. */
  readonly canaryLatency: () => ExpHistogram | undefined;
}

export interface Telemetry extends AsyncDisposable {
  /** One line that says where the signals go. */
  describe(): string;
  /** The files of the embedded sink that are in use, by signal. */
  files(): Partial<Record<SignalName, string>>;
  /** Agents have come or gone: a backend gets their metrics within a second or so, and not at the next interval. */
  collectSoon(): void;
  /** Exports pending data. Resolves within `ms` milliseconds, whatever the backend does; never rejects. */
  flush(ms?: number): Promise<void>;
  /** Exports a last time for `ms` milliseconds, keeps what was not taken, and ends, half a second later at most; never rejects. */
  shutdown(ms?: number): Promise<void>;
}

/** The specification's default of 60 s suits a backend; a file on the same machine can be updated more often. */
const INTERVAL_MS = { otlp: 60_000, files: 10_000, none: 60_000 } as const;
/** How long the last export may take, and how long it then takes at most to keep for the next taut what was not sent. */
const SHUTDOWN_MS = 1_000;
const KEEP_MS = 500;

/** @throws TelemetryConfigError when a variable, or the configuration file, has a wrong value. */
export async function startTelemetry(given: TelemetryOptions): Promise<Telemetry> {
  const settled = await settle(given.env);
  const options = { ...given, env: settled.env };
  const { env, stateDir } = options;
  const to = destinations(options);
  for (const warning of settled.warnings) options.onWarning(warning);
  const say = rarely(options.onWarning);
  const detail = options.onDetail && rarely(options.onDetail);
  diag.setLogger(complaints(say, detail), { logLevel: logLevel(env), suppressOverrideMessage: true });
  const resource = describeSelf(env, { ...given.resource, ...settled.resource }, options.serviceVersion);

  const exported = new Exported();
  exported.on(() => options.measured?.exported());
  let meters: MeterProvider | undefined;
  const soon = to.metrics.kind === 'otlp' ? new Soon({ collect: async () => meters?.forceFlush() }) : undefined;
  exported.on(() => soon?.exported());
  const spool = openSpool(options, to, say);
  const exporters = await createExporters({
    ...{ to, env, stateDir, spool, spoolLimit: options.spoolLimit, say },
    metricsMs: metricTimes(env, to.metrics.kind).exportTimeoutMillis,
    onMetricsExported: () => exported.tell(),
  });
  const onCollected = () => soon?.collected();
  meters = startMetrics({ ...options, exported, onCollected }, resource, to.metrics.kind, exporters.metrics);
  observeWaiting(exporters.waiting);
  for (const signal of SIGNALS) {
    const exporter: Exporter<unknown> | undefined = exporters[signal];
    if (exporter) countExports(signal, to[signal], exporter);
  }
  const providers = [
    startTraces(env, resource, exporters.traces, meters, idsAfter(given.firstSpan)),
    meters,
    startLogs(env, resource, exporters.logs, meters),
  ];
  const all = (work: 'forceFlush' | 'shutdown', ms: number) =>
    within(ms, Promise.allSettled(providers.map((p) => p[work]())));
  let ended: Promise<void> | undefined;
  const shutdown = (ms = SHUTDOWN_MS) => {
    soon?.end();
    const giveUp = setTimeout(exporters.giveUp, ms);
    ended ??= all('shutdown', ms + KEEP_MS).then(async () => {
      clearTimeout(giveUp);
      await spool?.end();
      for (const api of [trace, metrics, logs, diag]) api.disable();
    });
    return ended;
  };
  return {
    describe: () => describe(to, stateDir),
    files: () =>
      Object.fromEntries(SIGNALS.filter((s) => to[s].kind === 'files').map((s) => [s, sinkFile(stateDir, s)])),
    collectSoon: () => soon?.ask(),
    flush: (ms = SHUTDOWN_MS) => all('forceFlush', ms),
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

function destinations({ env, stateDir, sinkProblem, onWarning }: TelemetryOptions): Record<SignalName, Destination> {
  const of = (signal: SignalName): Destination => (isDisabled(env) ? { kind: 'none' } : destination(env, signal));
  const to = { traces: of('traces'), metrics: of('metrics'), logs: of('logs') };
  const inFiles = SIGNALS.filter((signal) => to[signal].kind === 'files');
  if (inFiles.length === 0 || sinkProblem === undefined) return to;
  const mend = 'mend that, or set OTEL_EXPORTER_OTLP_ENDPOINT';
  onWarning(`${inFiles.join(', ')} can't be written into ${stateDir}/otlp: ${sinkProblem}; ${mend}`);
  return { ...to, ...Object.fromEntries(inFiles.map((signal) => [signal, { kind: 'none' }])) };
}

/** Undefined where nothing goes to a backend, or nothing may or can be kept. */
function openSpool(options: TelemetryOptions, to: Record<SignalName, Destination>, say: Say): Spool | undefined {
  const { stateDir, spoolLimit, spoolProblem: problem } = options;
  if (spoolLimit === 0 || SIGNALS.every((signal) => to[signal].kind !== 'otlp')) return undefined;
  const dir = join(stateDir, 'spool');
  const startTicks = startOf(process.pid);
  if (problem === undefined && startTicks !== undefined) return new Spool({ dir, pid: process.pid, startTicks, say });
  say(`what a backend does not take can't be kept in ${dir}: ${problem}; it waits in memory`);
  return undefined;
}

/** The resource of taut. The SDK's process detector is not used: it would export taut's arguments. */
function describeSelf(env: Env, given: Attributes, version: string): Resource {
  const self = resourceFromAttributes(
    { [ATTR_SERVICE_NAME]: 'taut', [ATTR_SERVICE_VERSION]: version, 'service.instance.id': randomUUID() },
    { schemaUrl: SCHEMA_URL },
  );
  const place = resourceFromAttributes({ ...hostForJaeger(), ...placeAttributes() });
  const detected = detectResources({ detectors: [hostDetector, osDetector] }).merge(resourceFromAttributes(given));
  const named = env['OTEL_SERVICE_NAME']
    ? resourceFromAttributes({ [ATTR_SERVICE_NAME]: env['OTEL_SERVICE_NAME'] })
    : null;
  return defaultResource().merge(self).merge(place).merge(detected).merge(named);
}

function batching(env: Env, prefix: 'OTEL_BSP' | 'OTEL_BLRP', delayMs: number) {
  const maxQueueSize = wholeNumber(env, `${prefix}_MAX_QUEUE_SIZE`, 2048);
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(wholeNumber(env, `${prefix}_MAX_EXPORT_BATCH_SIZE`, 512), maxQueueSize),
    scheduledDelayMillis: wholeNumber(env, `${prefix}_SCHEDULE_DELAY`, delayMs, 0),
    exportTimeoutMillis: timeout(env, `${prefix}_EXPORT_TIMEOUT`, 30_000),
  };
}

/** @param self counts what the SDK does with spans. */
function startTraces(
  env: Env,
  resource: Resource,
  exporter: SpanExporter | undefined,
  self: MeterProvider,
  idGenerator: IdGenerator,
) {
  const options = { ...batching(env, 'OTEL_BSP', 5_000), selfObsMeterProvider: self };
  const spanProcessors = exporter ? [new BatchSpanProcessor({ exporter, ...options })] : [];
  const limits = { sampler: sampler(env), spanLimits: spanLimits(env) };
  const provider = new TracerProvider({ resource, ...limits, spanProcessors, idGenerator, meterProvider: self });
  trace.setGlobalTracerProvider(provider);
  return provider;
}

/** taut's histograms are exponential ones, also where the SDK makes them. */
const EXPONENTIAL = metricsFrom('turns').map((instrumentName) => ({
  ...{ instrumentName, aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const },
}));

function startMetrics(
  { env, ...options }: TelemetryOptions & Collecting,
  resource: Resource,
  to: Destination['kind'],
  exporter: PushMetricExporter | undefined,
): MeterProvider {
  const readers = [];
  if (exporter) {
    readers.push(
      new PeriodicExportingMetricReader({
        exporter,
        ...metricTimes(env, to),
        metricProducers: producers(options, exporter),
      }),
    );
  }
  const provider = new MeterProvider({ resource, readers, sdkMetricsEnabled: true, views: EXPONENTIAL });
  metrics.setGlobalMeterProvider(provider);
  return provider;
}

function metricTimes(env: Env, to: Destination['kind']) {
  const exportIntervalMillis = wholeNumber(env, 'OTEL_METRIC_EXPORT_INTERVAL', INTERVAL_MS[to]);
  const exportTimeoutMillis = Math.min(timeout(env, 'OTEL_METRIC_EXPORT_TIMEOUT', 30_000), exportIntervalMillis);
  return { exportIntervalMillis, exportTimeoutMillis };
}

interface Collecting {
  readonly exported: Exported;
  /** What is measured is being read. */
  readonly onCollected: () => void;
}

type Producing = Pick<TelemetryOptions, 'measured'> & Collecting;

/** Producers of histograms and sums that the SDK does not aggregate, in the temporality that the exporter asks for. */
function producers({ measured, exported, onCollected }: Producing, exporter: PushMetricExporter): MetricProducer[] {
  if (!measured) return [];
  const { mode, runQueueTimes: times, canaryLatency: latency } = measured;
  const snapshots = () => {
    onCollected();
    return measured.snapshots();
  };
  const common = (kind: InstrumentType) => {
    const temporality = exporter.selectAggregationTemporality?.(kind) ?? AggregationTemporality.CUMULATIVE;
    return { mode, temporality, exported };
  };
  return [
    new KernelHistograms({ snapshots, ...common(InstrumentType.HISTOGRAM) }),
    new CanaryLatency({ latency, ...common(InstrumentType.HISTOGRAM) }),
    new RunQueueTimes({ times, ...common(InstrumentType.OBSERVABLE_COUNTER) }),
  ];
}

/** @param self counts what the SDK does with log records. */
function startLogs(env: Env, resource: Resource, exporter: LogRecordExporter | undefined, self: MeterProvider) {
  const options = { ...batching(env, 'OTEL_BLRP', 1_000), selfObsMeterProvider: self };
  const processors = exporter ? [new BatchLogRecordProcessor({ exporter, ...options })] : [];
  const logRecordLimits = attributeLimits(env, 'LOGRECORD');
  const provider = new LoggerProvider({ resource, logRecordLimits, processors, meterProvider: self });
  logs.setGlobalLoggerProvider(provider);
  return provider;
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

function describe(to: Record<SignalName, Destination>, stateDir: string): string {
  const places = SIGNALS.map((signal) => {
    const d = to[signal];
    return d.kind === 'otlp' ? `to ${masked(d.endpoint)} (${d.protocol})` : where(d, stateDir);
  });
  if (new Set(places).size === 1) return `traces, metrics and logs go ${places[0]}`;
  return SIGNALS.map((signal, i) => `${signal} go ${places[i]}`).join('; ');
}
