import { expect, test } from 'vitest';
import { type Span, spansOf, type TraceRequest, values } from '../support/otlp.ts';
import { slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { wellFormed } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { type Backends, startBackends } from './services.ts';

async function traces(backends: Backends): Promise<Span[]> {
  const times = `query.start_time_min=${new Date(Date.now() - 3_600_000).toISOString()}&query.start_time_max=${new Date().toISOString()}`;
  const reply = await fetch(`${backends.jaeger}/api/v3/traces?query.service_name=taut&${times}&query.num_traces=100`);
  if (!reply.ok) return [];
  return spansOf([((await reply.json()) as { result: TraceRequest }).result]);
}

test('Jaeger has one trace for each agent, with all that was done to it and nothing of its arguments', async () => {
  await using backends = await startBackends();
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: backends.otlp });
  await using first = sandbox.node('agent.mjs', '--api-key=s3cret');
  await using second = await sleeper(sandbox);
  await first.line(/^ready/);
  const threads = slacks(first.pid).length;
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(await taut.stop()).toBe(0);

  let spans: Span[] = [];
  await until('Jaeger has both traces', async () => {
    spans = await traces(backends);
    return new Set(spans.filter((s) => s.name === 'revert').map((s) => s.traceId)).size === 2;
  });
  expect(new Set(wellFormed(spans).map((s) => s.traceId)).size).toBe(2);
  const ofPid = (pid: number) => spans.filter((s) => values(s.attributes)['process.pid'] === pid);
  for (const [program, count] of [
    [first, threads],
    [second, 1],
  ] as const) {
    const own = ofPid(program.pid);
    expect(own.map((s) => s.name).toSorted()).toEqual(['attach', 'gate', 'gate', 'gate', 'revert', 'tune', 'verify']);
    expect(new Set(own.map((s) => s.traceId)).size).toBe(1);
    const of = (name: string) => {
      const span = own.find((s) => s.name === name);
      return span ? { ...span, values: values(span.attributes) } : undefined;
    };
    const root = of('attach');
    expect(root?.parentSpanId ?? '').toBe('');
    for (const child of own.filter((s) => s.name !== 'attach')) expect(child.parentSpanId).toBe(root?.spanId);
    expect(root?.values).toMatchObject({
      'process.pid': program.pid,
      'process.creation.time': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      'taut.agent.name': 'fixture-agent',
      'taut.rule.id': 'fixture',
      'taut.attach.path': 'cmdline',
      'taut.threads.total': count,
      'taut.threads.tuned': count,
    });
    const gates = own.filter((s) => s.name === 'gate').map((s) => values(s.attributes));
    const byKnob = Object.fromEntries(gates.map((gate) => [gate['taut.knob'], gate]));
    expect(byKnob).toMatchObject({
      timer_slack_ns: { 'taut.gate.value': '1', 'taut.gate.reason': '--optimize-timer-slack' },
      sched_slice_ns: { 'taut.gate.value': 'off' },
      tool_priority: { 'taut.gate.value': 'off' },
    });
    expect(of('tune')?.values).toMatchObject({
      'taut.knob': 'timer_slack_ns',
      'taut.target': 1,
      'taut.threads.tuned': count,
    });
    expect(of('verify')?.values).toMatchObject({ 'taut.threads.tuned': count });
    expect(of('revert')?.values).toMatchObject({ 'taut.revert.reason': 'shutdown', 'taut.threads.restored': count });
    for (const span of own) expect(span.status?.code ?? 0, span.name).toBe(0);
  }
  expect(JSON.stringify(spans)).not.toContain('s3cret');
  expect(JSON.stringify(spans)).not.toContain(sandbox.mark);
});
