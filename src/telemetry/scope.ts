/** taut's instrumentation scope: one name, version and schema for its spans, metrics and log records. */
import { type Logger, logs, type Meter, metrics, type Tracer, trace } from '@opentelemetry/api';
import { version } from '../native/package.ts';
import { SCOPE_NAME } from './semconv.ts';

/** The conventions that taut's names follow, in the version of `@opentelemetry/semantic-conventions`. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';

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
