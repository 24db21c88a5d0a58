/** How the requests of a signal are sent, beside their address. */
import { headersOf } from './pairs.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { deciding, type Env, oneOf, type SignalName, timeout } from './values.ts';

export interface Transport {
  readonly headers: Readonly<Record<string, string>>;
  readonly isZipped: boolean;
  /** The whole of a request may take so long. */
  readonly timeoutMs: number;
  readonly tls: TlsFiles;
}

export const COMPRESSIONS = ['gzip', 'none'] as const;
export const TIMEOUT_MS = 10_000;

/** @throws TelemetryConfigError */
export function transport(env: Env, signal: SignalName): Transport {
  const of = (what: string) => deciding(env, signal, what);
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_HEADERS`;
  return {
    headers: { ...headersOf(env, 'OTEL_EXPORTER_OTLP_HEADERS'), ...headersOf(env, own) },
    isZipped: oneOf(env, of('COMPRESSION'), COMPRESSIONS) === 'gzip',
    timeoutMs: timeout(env, of('TIMEOUT'), TIMEOUT_MS),
    tls: tlsFiles(env, signal),
  };
}
