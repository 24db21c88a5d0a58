/** Why a request got no answer, so that a person knows what to mend: some of Node's own texts do not tell. */
import { readable } from '../readable.ts';

/** OpenSSL's texts begin with the id of a thread, and end with a line of its source. */
const TLS = /:SSL routines:[^:]*:([^:]+)/;

export function unanswered(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code.startsWith('HPE_'))
    return `its answer is no HTTP/1.1 (${message}); taut sends OTLP over HTTP, for which collectors have port 4318`;
  if (message.includes('--use-system-ca'))
    // Node's hint, which is about Node
    return `${message.split(';')[0]}; OTEL_EXPORTER_OTLP_CERTIFICATE says who may have signed it`;
  const [, tls] = TLS.exec(message) ?? [];
  if (tls === 'wrong version number') return 'the server does not speak TLS, and the address begins with https://';
  return tls === undefined ? readable([error]) : `TLS: ${tls}`;
}
