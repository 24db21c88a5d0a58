/** An OTLP receiver (HTTP, JSON) that keeps all requests: for data that the embedded sink never has, like deltas. */
import { createServer, type Server } from 'node:http';
import { closed, hear, hostOf, listening } from './loopback.ts';
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
      hear(request, (body) => {
        const path = request.url ?? '';
        if (this.down.includes(path)) return response.writeHead(503).end();
        this.received.set(path, [...(this.received.get(path) ?? []), JSON.parse(body.toString('utf8'))]);
        return response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  static async start(): Promise<Receiver> {
    return new Receiver(await listening(createServer()));
  }

  /** Environment of a taut that sends to this receiver. */
  get env(): NodeJS.ProcessEnv {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${hostOf(this.#server)}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  }

  get exports(): readonly MetricRequest[] {
    return (this.received.get('/v1/metrics') ?? []) as MetricRequest[];
  }

  /** A metric from each export that had it. */
  metric(name: string): Metric[] {
    return metricsOf(this.exports, name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closed(this.#server);
  }
}
