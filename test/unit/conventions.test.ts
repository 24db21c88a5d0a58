/** What spans and log records carry beside their own attributes, so that backends can join and find them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logs, trace } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { beforeEach, expect, test } from 'vitest';
import type { GateDecision } from '../../src/gate/gate.ts';
import { scope } from '../../src/telemetry/scope.ts';
import { Life } from '../support/life.ts';

const spans = new InMemorySpanExporter();
const records = new InMemoryLogRecordExporter();
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }));
logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: records })] }));
beforeEach(() => {
  spans.reset();
  records.reset();
});

const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter((span) => span.name === name);
const told = (name: string) => records.getFinishedLogRecords().filter(({ eventName }) => eventName === name);
const flag = { key: 'taut.optimize-patience', provider: 'made up', variant: undefined, reason: 'STATIC' };

test('nothing has a scope of its own: the one has the version and the schema', () => {
  const root = join(import.meta.dirname, '../..');
  const others = globSync('{src,otel}/**/*.ts', { cwd: root }).filter(
    (file) =>
      file !== 'src/telemetry/scope.ts' && /\.get(Tracer|Meter|Logger)\(/.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(others).toEqual([]);
  expect(scope()).toMatchObject({ name: 'taut', version: expect.stringMatching(/^\d+\./) });
});

test('a drift is told with the trace of its agent, its severity, and in words', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.host.set(pid, 123n);
  await life.reconcile();
  const [root] = named('attach').map((span) => span.spanContext());
  expect(told('taut.drift')).toHaveLength(1);
  expect(told('taut.drift')[0]).toMatchObject({
    severityText: 'WARN',
    body: `the patience of thread ${pid} of bots (${pid}) was set to 123 by somebody else`,
    spanContext: { traceId: root?.traceId, spanId: root?.spanId },
    instrumentationScope: scope(),
  });
});

test('a thread that can not be put back is told with the span of putting back, which has failed', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.host.deny(pid);
  await life.decide(null);
  const [revert] = named('revert');
  expect(revert).toMatchObject({ attributes: { 'error.type': 'restore_failed' }, status: { code: 2 } });
  expect(told('taut.restore_failed')[0]).toMatchObject({
    severityText: 'ERROR',
    spanContext: { spanId: revert?.spanContext().spanId, traceId: revert?.spanContext().traceId },
  });
  life.host.deny(pid, false);
});

test('tuning fails when the kernel refuses a thread: the span has the kind and the reason', async () => {
  using life = new Life();
  const pid = life.host.start(['/usr/bin/bot']);
  life.host.deny(pid);
  await life.hear();
  for (const name of ['tune', 'verify'])
    expect(named(name)[0]).toMatchObject({
      attributes: { 'error.type': 'denied' },
      status: { code: 2, message: '1 threads: denied' },
    });
  expect(named('attach')[0]?.status.code).toBe(0);
});

test('a flag is told as it was evaluated, and a change of the gate, with the span of the decision', async () => {
  using life = new Life();
  const decides = (decision: Partial<GateDecision>): GateDecision => ({
    value: null,
    reason: 'it says so',
    flag,
    ...decision,
  });
  life.gate.asks = () => decides({ flag: { ...flag, value: 'true', context: 'host/1' }, value: 7n });
  const pid = await life.run('bot');
  life.gate.asks = () => decides({ failure: 'FLAG_NOT_FOUND' });
  await life.agents.gateAll();
  const [first, second] = named('gate').map((span) => span.spanContext().spanId);
  const evaluated = told('feature_flag.evaluation');
  expect(evaluated.map(({ spanContext }) => spanContext?.spanId)).toEqual([first, second]);
  const common = { 'process.pid': pid, 'feature_flag.key': flag.key, 'feature_flag.result.reason': 'static' };
  expect(evaluated.map(({ attributes }) => attributes)).toMatchObject([
    { ...common, 'feature_flag.result.value': 'true', 'feature_flag.context.id': 'host/1' },
    { ...common, 'error.type': 'flag_not_found', 'error.message': 'it says so' },
  ]);
  expect(told('taut.gate_changed')).toMatchObject([
    { body: `bots (${pid}): patience is left as it is from now on: it says so`, spanContext: { spanId: second } },
  ]);
});

test('a decision that no flag made, or that is only known from before, is no evaluation', async () => {
  using life = new Life();
  await life.run('bot');
  life.gate.asks = () => ({ value: null, reason: 'as was known', flag, known: { reason: 'x', atMs: 0 } });
  await life.run('bot');
  expect(told('feature_flag.evaluation')).toEqual([]);
});

test('the next trace of the same process is linked to the one before, and that of another process to none', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.agents.letGo(pid, 'the test says so');
  await life.scan();
  await life.run('bot');
  const [first, again, other] = named('attach');
  expect(first?.links).toEqual([]);
  expect(again?.links.map(({ context }) => context.spanId)).toEqual([first?.spanContext().spanId]);
  expect(again?.spanContext().traceId).not.toBe(first?.spanContext().traceId);
  expect(other?.links).toEqual([]);
});
