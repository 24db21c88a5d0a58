/** Stands between taut and a collector, and keeps every request that was accepted: what left taut, whatever backends make of it. */
import { createServer } from 'node:http';
import { closed, hear, hostOf, listening } from '../support/loopback.ts';

export interface Tap extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly otlp: string;
  /** The requests of a signal, in their order. taut has to send JSON. */
  sent<T>(signal: 'traces' | 'metrics' | 'logs'): T[];
}

/** @param to an OTLP endpoint, to which every request is handed on, and whose answers are handed back. */
export async function startTap(to: string): Promise<Tap> {
  const sent = new Map<string, unknown[]>();
  const handOn = async (path: string, type: string, body: Buffer) => {
    const reply = await fetch(`${to}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
    if (reply.ok) sent.set(path, [...(sent.get(path) ?? []), JSON.parse(body.toString('utf8'))]);
    return reply;
  };
  const server = createServer((request, response) => {
    hear(request, (body) => {
      const { url: path = '', headers } = request;
      handOn(path, headers['content-type'] ?? '', body)
        .then(async (reply) => {
          response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? '' });
          response.end(Buffer.from(await reply.arrayBuffer()));
        })
        .catch(() => response.destroy());
    });
  });
  await listening(server);
  return {
    otlp: `http://${hostOf(server)}`,
    sent: <T>(signal: string) => (sent.get(`/v1/${signal}`) ?? []) as T[],
    [Symbol.asyncDispose]: () => closed(server),
  };
}
