/** A backend that is down, slow or hostile delays nothing. What is real here is what taut does; the server is a fault. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { expect, test } from 'vitest';
import { slacks } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

async function faulty(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

const FAULTS: Record<string, RequestListener> = {
  'takes the connection and never answers': () => {},
  'answers every request with 500': (_, response) => void response.writeHead(500).end('no'),
  'asks to be asked again later': (_, response) => void response.writeHead(503, { 'retry-after': '30' }).end(),
  'answers with what is no OTLP': (_, response) => void response.end('<html>'.repeat(10_000)),
  'cuts every connection': (request) => void request.socket.destroy(),
};

/** Attaches, tunes and puts back as ever, and ends by itself. */
async function worksWith(endpoint: string): Promise<void> {
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(slacks(agent.pid)).toEqual([1]);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
}

test.each(Object.keys(FAULTS))('a backend that %s delays neither tuning nor putting back', async (fault) => {
  const server = await faulty(FAULTS[fault] ?? (() => {}));
  try {
    await worksWith(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('nor does one that is not there', async () => {
  const server = await faulty(() => {});
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  await worksWith(`http://127.0.0.1:${port}`);
});
