/** What the collector beside taut has taken outlives it: the queue of otel/backends/agent.yaml is on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Program, until } from '../support/program.ts';
import { CONFIG, freePorts, start, startCollector } from './services.ts';

test('what a collector took while the gateway was away is sent by the next one, also when that one was killed', async () => {
  const [own = 0, gatewayPort = 0] = await freePorts(2);
  const dir = mkdtempSync(join(tmpdir(), 'taut-queue-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const at = `http://127.0.0.1:${own}`;
  const env = {
    ...{ AGENT_PORT: String(own), GATEWAY_ENDPOINT: `http://127.0.0.1:${gatewayPort}` },
    ...{ QUEUE_DIR: join(dir, 'queue'), BATCH_TIMEOUT: '50ms' },
  };
  const collector = (): Promise<Program> => start('otelcol', ['--config', join(CONFIG, 'agent.yaml')], env, at);
  const span = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), name: 'attach' };
  const times = { startTimeUnixNano: '1', endTimeUnixNano: '2' };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...times }] }] }] });

  const first = stack.use(await collector());
  const reply = await fetch(`${at}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(reply.status).toBe(200);
  first.child.kill('SIGKILL');
  await first.ended;

  const gateway = stack.use(await startCollector(gatewayPort));
  stack.use(await collector());
  await until('the gateway has it', () => JSON.stringify(gateway.received('traces')).includes(span.traceId));
});
