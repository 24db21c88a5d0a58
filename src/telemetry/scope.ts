/** taut's instrumentation scope: one name, version and schema for its spans, metrics and log records. */
import * as api from '@opentelemetry/api';
import { version } from '../native/package.ts';
import type { LoggerProvider, Providers } from './providers.ts';
import { SCHEMA_URL } from './schema.ts';
import { SCOPE_NAME } from './semconv.ts';

const OPTIONS = { schemaUrl: SCHEMA_URL };

/** Of the process: a process has one taut. */
let given: Providers = {};

export function useProviders(providers: Providers): void {
  given = providers;
}

/** With `@opentelemetry/api` 1.9, unless the application gives a provider. */
const NO_LOGGER: ReturnType<LoggerProvider['getLogger']> = { emit: () => {} };

/** The scope, as the points of a metric producer carry it. */
export function scope() {
  return { name: SCOPE_NAME, version: version(), ...OPTIONS };
}

export function tautTracer(): api.Tracer {
  return (given.tracerProvider ?? api.trace.getTracerProvider()).getTracer(SCOPE_NAME, version(), OPTIONS);
}

/** Counts nothing until the SDK has started: ask when something is to be counted, or after that. */
export function tautMeter(): api.Meter {
  return (given.meterProvider ?? api.metrics.getMeterProvider()).getMeter(SCOPE_NAME, version(), OPTIONS);
}

export function tautLogger(): Pick<api.Logger, 'emit'> {
  const provider = given.loggerProvider ?? (api as Partial<typeof api>).logs?.getLoggerProvider();
  return provider?.getLogger(SCOPE_NAME, version(), OPTIONS) ?? NO_LOGGER;
}
