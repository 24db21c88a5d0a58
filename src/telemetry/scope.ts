/** taut's instrumentation scope: one name, version and schema for its spans, metrics and log records. */
import { type Logger, logs, type Meter, metrics, type Tracer, trace } from '@opentelemetry/api';
import { version } from '../native/package.ts';
import { SCHEMA_URL } from './schema.ts';
import { SCOPE_NAME } from './semconv.ts';

const OPTIONS = { schemaUrl: SCHEMA_URL };

/** The scope, as the points of a metric producer carry it. */
export function scope() {
  return { name: SCOPE_NAME, version: version(), ...OPTIONS };
}

export function tautTracer(): Tracer {
  return trace.getTracerProvider().getTracer(SCOPE_NAME, version(), OPTIONS);
}

/** Counts nothing until the SDK has started: ask when something is to be counted, or after that. */
export function tautMeter(): Meter {
  return metrics.getMeter(SCOPE_NAME, version(), OPTIONS);
}

export function tautLogger(): Logger {
  return logs.getLogger(SCOPE_NAME, version(), OPTIONS);
}
