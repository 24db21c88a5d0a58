/**
 * taut as a package: what `taut watch` does, in an application with its own OpenTelemetry SDK. `docs/library.md` shows it.
 * Only this is the package: nothing else can be imported, and all of it keeps its names.
 */
export type { AgentEvent, AgentStatus, KnobStatus, StatusDocument, TracerStatus } from './agents/documents.ts';
export type { Gate, GateDecision, GateQuestion } from './gate/gate.ts';
export { TautMetrics, type TautMetricsOptions, type Temporality } from './library/metrics.ts';
export type { FlagProvider, LogLevel, Target, TautOptions } from './library/options.ts';
export { StartError, type StartErrorCode } from './library/startError.ts';
export { startTaut } from './library/startTaut.ts';
export type { Taut } from './library/taut.ts';
export type { LoggerProvider, Providers } from './telemetry/providers.ts';
