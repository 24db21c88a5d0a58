/** Reads the standard OTEL_* variables, and refuses wrong values. Pure. */
import { masked } from './readable.ts';

export const SIGNALS = ['traces', 'metrics', 'logs'] as const;
export type SignalName = (typeof SIGNALS)[number];

/** Where a signal goes: over OTLP, into the files of the embedded sink, or nowhere. */
export type Destination =
  | {
      readonly kind: 'otlp';
      readonly protocol: 'http/protobuf' | 'http/json';
      /** The value of the variable. */
      readonly endpoint: string;
      /** The URL for the POST requests. */
      readonly address: string;
    }
  | { readonly kind: 'files' }
  | { readonly kind: 'none' };

/** A variable has a wrong value: taut never sends elsewhere instead. The message shows the value without secrets. */
export class TelemetryConfigError extends Error {
  constructor(variable: string, value: string, mend: string) {
    super(`${variable}=${masked(value)}: ${mend}`);
    this.name = 'TelemetryConfigError';
  }
}

type Env = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = 'http://localhost:4318';

/** The value of a variable; the specification says that empty means unset. */
function read(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

export function isDisabled(env: Env): boolean {
  return read(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
}

/**
 * OTLP when an endpoint is configured or `OTEL_<SIGNAL>_EXPORTER` is `otlp`; otherwise the embedded sink.
 * @throws TelemetryConfigError
 */
export function destination(env: Env, signal: SignalName): Destination {
  const prefix = signal.toUpperCase();
  const exporterVariable = `OTEL_${prefix}_EXPORTER`;
  const exporter = read(env, exporterVariable)?.toLowerCase();
  if (exporter === 'none') return { kind: 'none' };
  if (exporter !== undefined && exporter !== 'otlp')
    throw new TelemetryConfigError(exporterVariable, exporter, 'taut knows otlp and none');
  const own = `OTEL_EXPORTER_OTLP_${prefix}_ENDPOINT`;
  const common = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const variable = read(env, own) === undefined ? common : own;
  const endpoint = read(env, variable);
  if (endpoint === undefined && exporter === undefined) return { kind: 'files' };
  const url = checkUrl(variable, endpoint ?? DEFAULT_ENDPOINT);
  // The common endpoint is a base URL, to which the signal's path is added; a signal's own endpoint is used as it is.
  const address = variable === own ? url : `${url.replace(/\/$/, '')}/v1/${signal}`;
  return { kind: 'otlp', protocol: protocol(env, prefix), endpoint: url, address };
}

function protocol(env: Env, prefix: string): 'http/protobuf' | 'http/json' {
  const own = `OTEL_EXPORTER_OTLP_${prefix}_PROTOCOL`;
  const variable = read(env, own) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : own;
  const value = read(env, variable) ?? 'http/protobuf';
  if (value === 'http/protobuf' || value === 'http/json') return value;
  const mend = 'taut sends http/protobuf or http/json; collectors take both, on port 4318';
  throw new TelemetryConfigError(variable, value, mend);
}

function checkUrl(variable: string, value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new TelemetryConfigError(
    variable,
    value,
    `not an http:// or https:// address; for example ${DEFAULT_ENDPOINT}`,
  );
}

const NUMBERS: readonly [name: string, min: number][] = [
  ...['OTEL_BSP', 'OTEL_BLRP'].flatMap((prefix): [string, number][] => [
    [`${prefix}_MAX_QUEUE_SIZE`, 1],
    [`${prefix}_MAX_EXPORT_BATCH_SIZE`, 1],
    [`${prefix}_SCHEDULE_DELAY`, 0],
    [`${prefix}_EXPORT_TIMEOUT`, 1],
  ]),
  ['OTEL_METRIC_EXPORT_INTERVAL', 1],
  ['OTEL_METRIC_EXPORT_TIMEOUT', 1],
];

/** Checks the variables, except those of the sampler, before the SDK is loaded. @throws TelemetryConfigError */
export function checkEnvironment(env: Env): void {
  if (!isDisabled(env)) for (const signal of SIGNALS) destination(env, signal);
  for (const [name, min] of NUMBERS) wholeNumber(env, name, min, min);
}

/**
 * A whole number of at least `min`, in the variable's own unit (milliseconds for times).
 * @throws TelemetryConfigError
 */
export function wholeNumber(env: Env, name: string, fallback: number, min = 1): number {
  const value = read(env, name);
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= min && number <= 2 ** 31 - 1) return number;
  throw new TelemetryConfigError(name, value, `a whole number of at least ${min} is wanted`);
}
