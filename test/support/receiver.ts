/** An OTLP receiver over HTTP and JSON that keeps what it gets: for what the embedded sink does not write, like deltas. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Metric, type MetricRequest, metricsOf } from './otlp.ts';

export class Receiver implements AsyncDisposable {
  /** What came to `/v1/metrics` and the others, in its order. */
  readonly received = new Map<string, unknown[]>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const path = request.url ?? '';
        this.received.set(path, [...(this.received.get(path) ?? []), JSON.parse(body)]);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Receiver(server);
  }

  /** For a taut that shall send here. */
  get env(): NodeJS.ProcessEnv {
    const { port } = this.#server.address() as AddressInfo;
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  }

  get exports(): readonly MetricRequest[] {
    return (this.received.get('/v1/metrics') ?? []) as MetricRequest[];
  }

  /** A metric as it was in each export that had it. */
  metric(name: string): Metric[] {
    return metricsOf(this.exports, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
