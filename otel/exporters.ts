/** Makes the exporter of each signal for its destination. */
import { join } from 'node:path';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Delivery } from './delivery/delivery.ts';
import { createDelivery, logExporter, MetricDelivery, spanExporter } from './delivery/exporters.ts';
import { MOST_IN_MEMORY } from './delivery/queue.ts';
import type { Spool } from './delivery/spool.ts';
import { type Destination, SIGNALS, type SignalName } from './environment.ts';
import { fileLogExporter, fileMetricExporter, fileSpanExporter } from './local/exporters.ts';
import { masked } from './readable.ts';
import { type Exporter, reportFailures } from './reportFailures.ts';

/** The file into which the embedded sink writes a signal. */
export function sinkFile(stateDir: string, signal: SignalName): string {
  return join(stateDir, 'otlp', `${signal}.jsonl`);
}

export interface ExportersOptions {
  readonly to: Record<SignalName, Destination>;
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
  /** Nothing more is sent from now on. */
  giveUp(): void;
}

export function createExporters(options: ExportersOptions): Exporters {
  const { to, stateDir, metricsMs, onMetricsExported } = options;
  const deliveries: Delivery[] = [];
  const delivered = <E>(signal: SignalName, make: (to: Otlp, delivery: Delivery) => E): E | undefined => {
    const destination = to[signal];
    if (destination.kind !== 'otlp') return undefined;
    const delivery = deliver(signal, destination, options, metricsMs);
    deliveries.push(delivery);
    return make(destination, delivery);
  };
  const inFile = <T, E extends Exporter<T>>(signal: SignalName, make: (path: string) => E): E | undefined => {
    if (to[signal].kind !== 'files') return undefined;
    const exporter = make(sinkFile(stateDir, signal));
    reportFailures(exporter, `${signal} ${where(to[signal], stateDir)}`, options.say);
    return exporter;
  };
  const overOtlp = (...about: [Otlp, Delivery]) => new MetricDelivery(...about, onMetricsExported);
  return {
    traces: delivered('traces', spanExporter) ?? inFile('traces', fileSpanExporter),
    metrics: delivered('metrics', overOtlp) ?? inFile('metrics', (path) => fileMetricExporter(path, onMetricsExported)),
    logs: delivered('logs', logExporter) ?? inFile('logs', fileLogExporter),
    giveUp: () => {
      for (const delivery of deliveries) delivery.giveUp();
    },
  };
}

type Otlp = Extract<Destination, { kind: 'otlp' }>;

function deliver(signal: SignalName, to: Otlp, options: ExportersOptions, metricsMs: number): Delivery {
  const { spool, spoolLimit, stateDir, say } = options;
  // A third each: no signal can push out another one.
  const limit = spool ? Math.floor(spoolLimit / SIGNALS.length) : MOST_IN_MEMORY;
  const common = { spool, limit, say, where: `${signal} ${where(to, stateDir)}` };
  return createDelivery(signal, to, common, signal === 'metrics' ? metricsMs : undefined);
}

/** Where a signal goes, without secrets. */
export function where(to: Destination, stateDir: string): string {
  if (to.kind === 'otlp') return `to ${masked(to.address)}`;
  return to.kind === 'files' ? `into ${stateDir}/otlp` : 'nowhere';
}
