/** Backends that are broken in many ways, each a real server on loopback. */
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createServer2 } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { PEM } from './otelVariables.ts';

const http = (listener: RequestListener) =>
  createServer((request, response) => request.resume().on('end', () => listener(request, response)));
const answers = (status: number, body = '', headers = {}) =>
  http((_, response) => void response.writeHead(status, headers).end(body));
const tcp = (heard: (socket: Socket) => void) =>
  createTcpServer((socket) => socket.on('error', () => {}).once('data', () => heard(socket)));
const tls = (more = {}) =>
  createTlsServer({ ...more, key: readFileSync(PEM('server.key')), cert: readFileSync(PEM('server.cert')) });

export interface Broken {
  readonly server?: () => Server;
  /** If it is not that of the server. */
  readonly address?: (host: string) => string;
  /** The certificate that taut is given. */
  readonly trusts?: string;
  readonly reason: RegExp;
}

export const BROKEN: Record<string, Broken> = {
  'takes the connection and never answers': { server: () => http(() => {}), reason: /not answered within \d+ ms$/ },
  'wants to be asked again later': {
    server: () => answers(429, 'slow down', { 'retry-after': '7' }),
    reason: /429 Too Many Requests slow down$/,
  },
  'finds requests too large': { server: () => answers(413), reason: /413 Payload Too Large; 3 spans are lost$/ },
  'is overloaded': { server: () => answers(503, 'no room'), reason: /503 Service Unavailable no room$/ },
  'answers with bytes that are no HTTP': {
    server: () => tcp((socket) => socket.end(Buffer.from([0, 255, 1, 254]))),
    reason: /its answer is no HTTP\/1\.1/,
  },
  'is a web page': {
    server: () => answers(200, '<html>Portal</html>', { 'content-type': 'text/html' }),
    reason: /its answer is no OTLP: <html>Portal<\/html>$/,
  },
  'is elsewhere': {
    server: () => answers(307, '', { location: 'https://ann:s3cret@other.example/v1/traces?key=s3cret' }),
    reason: /307 Temporary Redirect to https:\/\/\*\*\*@other\.example\/v1\/traces\?\*\*\*; 3 spans are lost$/,
  },
  'never comes to an end of its answer': {
    server: () =>
      http((_, response) => {
        setInterval(() => response.write(' '), 50).unref();
      }),
    reason: /not answered within \d+ ms$/,
  },
  'takes a part': {
    server: () =>
      answers(200, '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}', {
        'content-type': 'application/json',
      }),
    reason: /rejected: too old; 2 spans are lost$/,
  },
  'speaks no TLS': {
    server: () => answers(200),
    address: (host) => `https://${host}`,
    reason: /the server does not speak TLS/,
  },
  'speaks TLS alone': { server: () => tls(), reason: /socket hang up$|ECONNRESET$/ },
  'has a certificate of its own': {
    server: () => tls(),
    address: (host) => `https://${host}`,
    reason: /self-signed certificate; OTEL_EXPORTER_OTLP_CERTIFICATE says who may have signed it$/,
  },
  'wants to see a certificate': {
    server: () => tls({ requestCert: true, rejectUnauthorized: true }),
    address: (host) => `https://${host}`,
    trusts: 'server.cert',
    reason: /TLS: tlsv13 alert certificate required$|ECONNRESET$|EPIPE$/,
  },
  'resets the connection': {
    server: () => tcp((socket) => socket.resetAndDestroy()),
    reason: /socket hang up$|ECONNRESET$/,
  },
  'speaks HTTP/2 alone, as gRPC does': {
    server: () => createServer2() as unknown as Server,
    reason: /its answer is no HTTP\/1\.1 .*4318/,
  },
  'has a name that nobody knows': {
    address: () => `http://nobody.invalid`,
    reason: /getaddrinfo (ENOTFOUND|EAI_AGAIN) nobody\.invalid$/,
  },
  'has no such path': { server: () => answers(404, 'not found'), reason: /404 Not Found not found; 3 spans are lost$/ },
  'is not there': { address: () => `http://127.0.0.1:9`, reason: /connect ECONNREFUSED 127\.0\.0\.1:9$/ },
};

/** A broken backend that has been started. */
interface Started extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
}

export async function startBroken({ server: make, address = (host) => `http://${host}` }: Broken): Promise<Started> {
  const server = make?.();
  if (!server) return { endpoint: address(''), [Symbol.asyncDispose]: async () => {} };
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => open.add(socket.on('error', () => {})));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: address(`127.0.0.1:${(server.address() as AddressInfo).port}`),
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
