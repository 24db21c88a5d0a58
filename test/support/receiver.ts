/** An OTLP receiver (HTTP, JSON) that keeps all requests: for data that the embedded sink never has, like deltas. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Metric, type MetricRequest, metricsOf } from './otlp.ts';

export class Receiver implements AsyncDisposable {
  /** The requests by path (`/v1/metrics` and others), in the order of arrival. */
  readonly received = new Map<string, unknown[]>();
  /** The paths for which it answers that it can't take anything now. */
  down: readonly string[] = [];
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
        if (this.down.includes(path)) return response.writeHead(503).end();
        this.received.set(path, [...(this.received.get(path) ?? []), JSON.parse(body)]);
        return response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Receiver(server);
  }

  /** Environment of a taut that sends to this receiver. */
  get env(): NodeJS.ProcessEnv {
    const { port } = this.#server.address() as AddressInfo;
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  }

  get exports(): readonly MetricRequest[] {
    return (this.received.get('/v1/metrics') ?? []) as MetricRequest[];
  }

  /** A metric from each export that had it. */
  metric(name: string): Metric[] {
    return metricsOf(this.exports, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
