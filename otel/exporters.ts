/** Makes the exporter of each signal for its destination. */
import { join } from 'node:path';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Delivery } from './delivery/delivery.ts';
import { type Depth, MOST_IN_MEMORY } from './delivery/queue.ts';
import type { Spool } from './delivery/spool.ts';
import { transport } from './environment/transport.ts';
import { type Destination, type Env, SIGNALS, type SignalName } from './environment.ts';
import { fileLogExporter, fileMetricExporter, fileSpanExporter } from './local/exporters.ts';
import { masked } from './readable.ts';
import { type Exporter, reportFailures } from './reportFailures.ts';

/** The file into which the embedded sink writes a signal. */
export function sinkFile(stateDir: string, signal: SignalName): string {
  return join(stateDir, 'otlp', `${signal}.jsonl`);
}

export interface ExportersOptions {
  readonly to: Record<SignalName, Destination>;
  /** Says how the requests are sent. */
  readonly env: Env;
  readonly stateDir: string;
  /** Undefined: what a backend does not take waits in memory. */
  readonly spool: Spool | undefined;
  /** Bytes on disk, of all signals. */
  readonly spoolLimit: number;
  /** An export of metrics may take so long. */
  readonly metricsMs: number;
  /** A collection of metrics has been exported, or waits to be. */
  readonly onMetricsExported: () => void;
  readonly say: (text: string) => void;
}

export interface Exporters {
  readonly traces: SpanExporter | undefined;
  readonly metrics: PushMetricExporter | undefined;
  readonly logs: LogRecordExporter | undefined;
  /** What waits for a backend now, by signal. */
  waiting(): ReadonlyMap<SignalName, Depth>;
  /** Nothing more is sent from now on. */
  giveUp(): void;
}

/** What speaks OTLP is loaded where a signal goes to a backend: the embedded sink needs none of it. */
export async function createExporters(options: ExportersOptions): Promise<Exporters> {
  const { to, stateDir, metricsMs, onMetricsExported } = options;
  const over = SIGNALS.some((signal) => to[signal].kind === 'otlp')
    ? await import('./delivery/exporters.ts')
    : undefined;
  const deliveries = new Map<SignalName, Delivery>();
  const delivered = <E>(signal: SignalName, make: (over: Over, to: Otlp, delivery: Delivery) => E): E | undefined => {
    const destination = to[signal];
    if (!over || destination.kind !== 'otlp') return undefined;
    const about = deliveryOptions(signal, destination, options);
    const delivery = over.createDelivery(signal, destination, about, signal === 'metrics' ? metricsMs : undefined);
    deliveries.set(signal, delivery);
    return make(over, destination, delivery);
  };
  const inFile = <T, E extends Exporter<T>>(signal: SignalName, make: (path: string) => E): E | undefined => {
    if (to[signal].kind !== 'files') return undefined;
    const exporter = make(sinkFile(stateDir, signal));
    reportFailures(exporter, `${signal} ${where(to[signal], stateDir)}`, options.say);
    return exporter;
  };
  return {
    traces: delivered('traces', (o, ...about) => o.spanExporter(...about)) ?? inFile('traces', fileSpanExporter),
    metrics:
      delivered('metrics', (o, ...about) => new o.MetricDelivery(...about, options.env, onMetricsExported)) ??
      inFile('metrics', (path) => fileMetricExporter(path, onMetricsExported)),
    logs: delivered('logs', (o, ...about) => o.logExporter(...about)) ?? inFile('logs', fileLogExporter),
    waiting: () => new Map([...deliveries].map(([signal, { depth }]) => [signal, depth])),
    giveUp: () => {
      for (const delivery of deliveries.values()) delivery.giveUp();
    },
  };
}

type Otlp = Extract<Destination, { kind: 'otlp' }>;
type Over = typeof import('./delivery/exporters.ts');

function deliveryOptions(signal: SignalName, to: Otlp, { env, spool, spoolLimit, stateDir, say }: ExportersOptions) {
  // A third each: no signal can push out another one.
  const limit = spool ? Math.floor(spoolLimit / SIGNALS.length) : MOST_IN_MEMORY;
  return { spool, limit, say, where: `${signal} ${where(to, stateDir)}`, transport: transport(env, signal) };
}

/** Where a signal goes, without secrets. */
export function where(to: Destination, stateDir: string): string {
  if (to.kind === 'otlp') return `to ${masked(to.address)}`;
  return to.kind === 'files' ? `into ${stateDir}/otlp` : 'nowhere';
}
