/** What a backend refuses is said: which signal, to which address, why; and when it works again. Never with a secret. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { expect, test } from 'vitest';
import { tell } from '../support/conversation.ts';
import { closed, hostOf, listening } from '../support/loopback.ts';
import type { Program } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

class Backend implements AsyncDisposable {
  answer: RequestListener;
  readonly #server: Server;

  private constructor(server: Server, answer: RequestListener) {
    this.#server = server;
    this.answer = answer;
    server.on('request', (request, response) => {
      request.resume().on('end', () => this.answer(request, response));
    });
  }

  static async start(answer: RequestListener): Promise<Backend> {
    return new Backend(await listening(createServer()), answer);
  }

  get host(): string {
    return hostOf(this.#server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closed(this.#server);
  }
}

const respond =
  (body: string): RequestListener =>
  (_, response) => {
    response.setHeader('content-type', 'application/json').end(body);
  };
const cut: RequestListener = (request) => {
  request.socket.destroy();
};

const FAST = {
  OTEL_BSP_SCHEDULE_DELAY: '100',
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
};

const saidBy = (taut: Program) => taut.errors.filter((line) => line.includes('telemetry:'));

test('what a server answers is said with signal and address, and once that it works again', async () => {
  await using backend = await Backend.start((_, response) => void response.writeHead(400).end('over quota: ask Ann'));
  using sandbox = new Sandbox({ ...FAST, OTEL_EXPORTER_OTLP_ENDPOINT: `http://${backend.host}` });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch();
  const to = (signal: string) => `${signal} to http://${backend.host}/v1/${signal}`;
  for (const signal of ['traces', 'metrics']) {
    const line = await taut.line(new RegExp(`telemetry: ${to(signal)}: `));
    expect(line).toContain(`taut: warn: telemetry: ${to(signal)}: 400 Bad Request over quota: ask Ann; `);
    expect(line).toMatch(/; \d+ (spans|points) are lost$/);
  }
  backend.answer = respond('{}');
  await using _another = await sleeper(sandbox);
  for (const signal of ['traces', 'metrics']) await taut.line(new RegExp(`telemetry: ${to(signal)}: works again`));
  await tell(agent, 'sleep 3000 1000');
  await taut.stop();
  expect(saidBy(taut)).toHaveLength(4);
});

test.each([
  [
    'takes a part',
    respond('{"partialSuccess":{"rejectedDataPoints":"7","errorMessage":"no more of these"}}'),
    ['rejected: no more of these', '7 points are lost'],
  ],
  ['answers what is no OTLP', respond('<html>Portal</html>'), ['is no OTLP', '<html>Portal</html>']],
  ['cuts the connection', cut, ['socket hang up']],
] as const)('of a backend that %s, the whole complaint is said', async (_, answer, words) => {
  await using backend = await Backend.start(answer);
  using sandbox = new Sandbox({
    ...FAST,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${backend.host}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '900',
  });
  await using taut = await sandbox.watch();
  const line = await taut.line(new RegExp(`telemetry: metrics to http://${backend.host}/v1/metrics: `));
  for (const word of words) expect(line).toContain(word);
  await taut.stop();
});

test('a backend that is not there, and one that never answers, are said by name; no secret of an address ever is', async () => {
  await using backend = await Backend.start(() => {});
  for (const [host, word] of [
    ['127.0.0.1:9', 'ECONNREFUSED'],
    [backend.host, 'not answered in time'],
  ] as const) {
    using sandbox = new Sandbox({
      ...FAST,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://ann:s3cret@${host}/base?key=s3cret`,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://ann:s3cret@${host}/mine?key=s3cret`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
    });
    await using _agent = await sleeper(sandbox);
    await using taut = await sandbox.watch();
    await taut.line(new RegExp(`traces go to http://\\*\\*\\*@${host}/base\\?\\*\\*\\*`));
    if (word === 'ECONNREFUSED') await taut.line(/telemetry: metrics to .*ECONNREFUSED/);
    await taut.stop();
    expect(saidBy(taut).join('\n')).toContain(`metrics to http://***@${host}/mine?***: `);
    expect(saidBy(taut).join('\n')).toContain(word);
    expect(taut.errors.join('\n')).not.toContain('s3cret');
  }
});
