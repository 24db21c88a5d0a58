import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

/** Where an application wants the signals, instead of the providers that are registered with `@opentelemetry/api`. */
export interface Providers {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
  readonly loggerProvider?: LoggerProvider | undefined;
}

/** A provider of loggers, also one of the time when `@opentelemetry/api` had none: before 1.10. */
export interface LoggerProvider {
  getLogger(name: string, version?: string, options?: { readonly schemaUrl?: string }): { emit(record: object): void };
}
