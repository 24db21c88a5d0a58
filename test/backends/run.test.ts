/** A trace of several programs, as Jaeger puts it together. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Span, spansOf, type TraceRequest, values } from '../support/otlp.ts';
import { outcome, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { startBackends } from './services.ts';

test('Jaeger has one trace from the caller of taut run to the threads that were tuned, and a command that ended at once', async () => {
  await using backends = await startBackends();
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: backends.otlp });
  const traceId = randomBytes(16).toString('hex');
  const caller = randomBytes(8).toString('hex');
  const env = { TRACEPARENT: `00-${traceId}-${caller}-01` };
  const agent = ['python3', join(FIXTURES, 'sleeper.py')];
  await using program = sandbox.tautWith(env, 'run', '--optimize-timer-slack', '--', ...agent);
  await program.line(/attached to sleeper/);
  program.child.stdin?.end();
  expect(await program.ended).toBe(0);
  await using short = sandbox.tautWith(env, 'run', '--', 'sh', '-c', 'exit 3');
  expect((await outcome(short)).code).toBe(3);

  let spans: Span[] = [];
  await until('Jaeger has the trace', async () => {
    const reply = await fetch(`${backends.jaeger}/api/v3/traces/${traceId}`);
    spans = reply.ok ? spansOf([((await reply.json()) as { result: TraceRequest }).result]) : [];
    return spans.filter(({ name }) => name === 'run').length === 2;
  });
  const runs = spans.filter(({ name }) => name === 'run');
  for (const run of runs) expect(run.parentSpanId).toBe(caller);
  expect(runs.map((run) => values(run.attributes)['process.exit.code']).toSorted()).toEqual([0, 3]);
  const parentOf = (span: Span | undefined) => spans.find(({ spanId }) => spanId === span?.parentSpanId);
  const tune = spans.find(({ name }) => name === 'tune');
  expect([parentOf(tune)?.name, parentOf(parentOf(tune))?.name]).toEqual(['attach', 'run']);
}, 120_000);
