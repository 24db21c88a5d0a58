/**
 * taut as a package: the watcher and the metric producers, for an application with its own OpenTelemetry SDK.
 * Spans, metrics and log records go to the providers that the application has registered with @opentelemetry/api.
 */
export { KernelHistograms, type KernelHistogramsOptions } from '../otel/producer.ts';
export { RunQueueTimes, type RunQueueTimesOptions } from '../otel/runQueueProducer.ts';
export { Ledger } from './actuator/ledger.ts';
export type { AgentStatus } from './agents/status.ts';
export { Watcher, type WatcherOptions } from './agents/watcher.ts';
export { ConfigError, loadConfig } from './config/load.ts';
export { Decisions } from './discovery/decisions.ts';
export { compileRules } from './discovery/ruleSet.ts';
export type { Scope } from './discovery/scope.ts';
export { createGate, type GateOptions } from './gate/createGate.ts';
export type { Gate, GateDecision, GateQuestion } from './gate/gate.ts';
export { TautError } from './native.ts';
export { add, quantile, subtract } from './tracer/arithmetic.ts';
export type { Mode } from './tracer/features.ts';
export { type Measuring, openMeasuring } from './tracer/measuring.ts';
export { TracerUnavailable } from './tracer/programs.ts';
export type {
  AgentSnapshot,
  ExpHistogram,
  OverflowSnapshot,
  Quantity,
  RunQueueTime,
  Series,
  SlackClass,
  Snapshot,
  WakeupSource,
} from './tracer/series.ts';
export { Tracer } from './tracer/tracer.ts';
export { createLog, type Log, type LogLevel } from './util/log.ts';
