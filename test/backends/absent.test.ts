/** A backend that is down, slow or hostile delays nothing. What is real here is what taut does; the server is a fault. */
import { readdirSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closed, hostOf, listening } from '../support/loopback.ts';
import { slacks } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

const faulty = (listener: RequestListener) => listening(createServer(listener));

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
    await worksWith(`http://${hostOf(server)}`);
  } finally {
    await closed(server);
  }
});

/** The address of a backend that is not there. */
async function nobody(): Promise<string> {
  const server = await faulty(() => {});
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${port}`;
}

test('nor does one that is not there', async () => {
  await worksWith(await nobody());
});

test('the end of a command asks a backend that fails once for each signal, and does not wait to ask again', async () => {
  const asked: string[] = [];
  const server = await faulty((request) => {
    asked.push(request.url ?? '');
    request.socket.destroy();
  });
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    // So that nothing is exported before the end.
    const late = {
      OTEL_METRIC_EXPORT_INTERVAL: '60000',
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      OTEL_BLRP_SCHEDULE_DELAY: '60000',
    };
    using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...late });
    await using run = sandbox.taut('run', '--', 'sh', '-c', 'read line');
    await run.line(/watching/);
    // A second after its command was attached, which is over before on a machine that is not busy, metrics are sent.
    const before = asked.length;
    run.say('');
    expect(await run.ended).toBe(0);
    expect(asked).toContain('/v1/metrics');
    const last = asked.slice(before);
    expect(last).toHaveLength(new Set(last).size);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('what a backend that asks for patience did not take is kept when taut ends', async () => {
  const server = await faulty((request, response) => {
    request.resume().on('end', () => response.writeHead(503, { 'retry-after': '1' }).end());
  });
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '50' });
    await using _agent = await sleeper(sandbox);
    await using taut = await sandbox.watch('--optimize-timer-slack');
    await taut.line(/traces to .*503/);
    expect(await taut.stop()).toBe(0);
    const kept = readdirSync(join(sandbox.stateDir, 'spool'), { recursive: true }).map(String);
    for (const signal of ['traces', 'metrics']) expect(kept.join(' ')).toContain(`/${signal}-`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
