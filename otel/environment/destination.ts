import { deciding, type Env, isTrue, oneOf, read, type SignalName, wrong } from './values.ts';

/** Where a signal goes: over OTLP, into the files of the embedded sink, or nowhere. */
export type Destination =
  | {
      readonly kind: 'otlp';
      readonly protocol: 'http/protobuf' | 'http/json';
      /** The value of the variable; of a signal's own one the address. */
      readonly endpoint: string;
      /** The URL for the POST requests. */
      readonly address: string;
    }
  | { readonly kind: 'files' }
  | { readonly kind: 'none' };

export const DEFAULT_ENDPOINT = 'http://localhost:4318';

export function isDisabled(env: Env): boolean {
  return isTrue(env, 'OTEL_SDK_DISABLED');
}

/**
 * OTLP when an endpoint is configured or `OTEL_<SIGNAL>_EXPORTER` is `otlp`; otherwise the embedded sink.
 * @throws TelemetryConfigError
 */
export function destination(env: Env, signal: SignalName): Destination {
  const exporter = exporterOf(env, `OTEL_${signal.toUpperCase()}_EXPORTER`);
  if (exporter === 'none') return { kind: 'none' };
  const variable = deciding(env, signal, 'ENDPOINT');
  const endpoint = urlOf(env, variable);
  if (endpoint === undefined && exporter === undefined) return { kind: 'files' };
  const url = endpoint ?? DEFAULT_ENDPOINT;
  // The common endpoint is a base URL, to which the signal's path is added; a signal's own endpoint is used as it is.
  const isBase = variable === 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const address = isBase ? below(url, `v1/${signal}`) : new URL(url).href;
  const protocol = protocolOf(env, deciding(env, signal, 'PROTOCOL')) ?? 'http/protobuf';
  return { kind: 'otlp', protocol, endpoint: isBase ? url : address, address };
}

/** A path is added to that of the address; a query, which some backends want a key in, stays behind it. */
function below(base: string, path: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url.href;
}

/** @throws TelemetryConfigError */
export function exporterOf(env: Env, name: string): 'otlp' | 'none' | undefined {
  const value = read(env, name);
  const found = (['otlp', 'none'] as const).find((one) => one === value?.toLowerCase());
  return value === undefined || found ? found : wrong(name, value, 'taut knows otlp and none');
}

/** @throws TelemetryConfigError */
export function protocolOf(env: Env, name: string): 'http/protobuf' | 'http/json' | undefined {
  if (read(env, name)?.toLowerCase() === 'grpc')
    return wrong(name, 'grpc', 'taut sends http/protobuf or http/json; collectors take both, on port 4318');
  return oneOf(env, name, ['http/protobuf', 'http/json']);
}

/** @throws TelemetryConfigError */
export function urlOf(env: Env, name: string): string | undefined {
  const value = read(env, name);
  if (value === undefined || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))) return value;
  return wrong(name, value, `not an http:// or https:// address; for example ${DEFAULT_ENDPOINT}`);
}
