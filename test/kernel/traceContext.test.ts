/** One trace from the caller of `taut run` to what taut does to the agents in it; and `--link-agent-telemetry`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { spansOf as spansIn, type TraceRequest, values } from '../support/otlp.ts';
import { outcome, Program } from '../support/program.ts';
import { Receiver } from '../support/receiver.ts';
import { allSpans, attribute, spansOf } from '../support/spans.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { finished, pidOf, TUNED, WAITING } from '../support/waiting.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;
const SHOWS = ['sh', '-c', 'echo $TRACEPARENT $OTEL_RESOURCE_ATTRIBUTES; exit 3'];

test('a command that ends at once has its span, with the ids that it was told, and no arguments', async () => {
  using sandbox = new Sandbox();
  await using program = sandbox.tautWith({ TRACEPARENT }, 'run', '--', ...SHOWS, 'secret-argument');
  const { code, out } = await outcome(program);
  const [, spanId, runId] = /^00-0af7651916cd43dd8448eb211c80319c-(\w{16})-01 taut\.run\.id=(\S+)$/m.exec(out) ?? [];
  expect(code).toBe(3);
  const [span, ...more] = allSpans(sandbox.stateDir);
  expect(more).toEqual([]);
  expect(span).toMatchObject({ name: 'run', traceId: TRACE, spanId, parentSpanId: CALLER, status: { code: 2 } });
  expect(values(span?.attributes ?? [])).toEqual({
    'process.executable.name': 'sh',
    'process.pid': expect.any(Number),
    'process.exit.code': 3,
    'error.type': '3',
    'taut.run.id': runId,
  });
  expect(readFileSync(join(sandbox.stateDir, 'otlp/traces.jsonl'), 'utf8')).not.toContain('secret');
});

test('a signal that ended the command is on its span', async () => {
  using sandbox = new Sandbox();
  await using program = sandbox.taut('run', '--', 'sh', '-c', 'kill -KILL $$');
  expect((await outcome(program)).code).toBe(128 + 9);
  const [span] = spansOf(sandbox.stateDir, 'run');
  expect(values(span?.attributes ?? [])).toMatchObject({ 'taut.run.signal': 'SIGKILL', 'error.type': 'SIGKILL' });
});

test('with a backend the span of a command that ends at once is sent before taut ends', async () => {
  await using backend = await Receiver.start();
  using sandbox = new Sandbox(backend.env);
  await using program = sandbox.taut('run', '--', ...SHOWS);
  const { code, out } = await outcome(program);
  const [, traceId, spanId] = /^00-(\w{32})-(\w{16})-01/.exec(out) ?? [];
  const sent = spansIn((backend.received.get('/v1/traces') ?? []) as TraceRequest[]);
  expect(code).toBe(3);
  expect(sent).toMatchObject([{ name: 'run', traceId, spanId }]);
  expect([...backend.received.keys()]).toEqual(['/v1/traces']);
});

test.each([[], [TUNED]])('what taut does to the agents of a run is in its trace: %j', async (...options) => {
  using sandbox = new Sandbox();
  const agent = ['python3', join(FIXTURES, 'sleeper.py'), sandbox.mark];
  const command = ['sh', '-c', '"$0" "$@"; exit 7', ...agent];
  await using program = sandbox.tautWith(
    { TRACEPARENT },
    'run',
    '--config',
    sandbox.config,
    ...options,
    '--',
    ...command,
  );
  await program.line(/attached to fixture-agent/);
  program.child.stdin?.end();
  expect(await program.ended).toBe(7);
  const [run] = spansOf(sandbox.stateDir, 'run');
  const attached = spansOf(sandbox.stateDir, 'attach');
  expect(run).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
  expect(attached.map((span) => attribute(span, 'taut.agent.name'))).toContain('fixture-agent');
  for (const span of attached) expect(span).toMatchObject({ traceId: TRACE, parentSpanId: run?.spanId });
  expect(new Set(allSpans(sandbox.stateDir).map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(spansOf(sandbox.stateDir, 'tune').length > 0).toBe(options.length > 0);
});

test.each([[], [`${TUNED}=10us`]])('so is what a daemon does that takes the command over: %j', async (...options) => {
  using sandbox = new Sandbox();
  await using daemon = await sandbox.watch(...(options.length > 0 ? [TUNED] : []));
  await using program = sandbox.tautWith({ TRACEPARENT }, 'run', ...options, '--', ...WAITING);
  await program.line(/has taken sh \(\d+\) over/);
  const pid = await pidOf(program);
  expect(await finished(program)).toBe(7);
  await daemon.stop();
  const [run] = spansOf(sandbox.stateDir, 'run');
  const attached = spansOf(sandbox.stateDir, 'attach').filter((span) => attribute(span, 'process.pid') === String(pid));
  expect(attached).toMatchObject([{ traceId: TRACE, parentSpanId: run?.spanId }]);
  expect(attribute(attached[0] as never, 'taut.run.id')).toBe(attribute(run as never, 'taut.run.id'));
});

test("an agent's trace is linked to its own, if the operator says so, and no other variable is seen", async () => {
  const env = {
    ...process.env,
    ...{ TRACEPARENT, OTEL_SERVICE_NAME: 'its-name', API_KEY: 'sk-secret' },
    OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=shop,session.id=s1,user.email=sk-secret',
  };
  for (const options of [[], ['--link-agent-telemetry']]) {
    using sandbox = new Sandbox();
    await using agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), sandbox.mark], env);
    await agent.line(/^ready/);
    await using daemon = await sandbox.watch('--log-level', 'debug', ...options);
    await daemon.line(/attached to fixture-agent/);
    await agent.stop();
    await daemon.stop();
    const [span] = spansOf(sandbox.stateDir, 'attach');
    const links = (span?.links ?? []).map(({ traceId, spanId, attributes = [] }) => [
      traceId,
      spanId,
      values(attributes),
    ]);
    const its = { 'service.name': 'its-name', 'service.namespace': 'shop', 'session.id': 's1' };
    expect(links).toEqual(options.length > 0 ? [[TRACE, CALLER, its]] : []);
    const named = { 'service.peer.name': 'its-name', 'service.peer.namespace': 'shop', 'session.id': 's1' };
    const attributes = values(span?.attributes ?? []);
    if (options.length > 0) expect(attributes).toMatchObject(named);
    else for (const name of Object.keys(named)) expect(attributes).not.toHaveProperty(name);
    const sink = join(sandbox.stateDir, 'otlp');
    for (const file of readdirSync(sink)) expect(readFileSync(join(sink, file), 'utf8')).not.toContain('sk-secret');
    expect(daemon.errors.join('\n')).not.toContain('sk-secret');
  }
});

test('an environment that taut may not read, or that is too large, is said at debug; the agent is attached', async () => {
  using sandbox = new Sandbox();
  const large = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`X${i}`, 'x'.repeat(100_000)]));
  const env = { ...large, PATH: process.env['PATH'], OTEL_SERVICE_NAME: 'beyond' };
  await using agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), sandbox.mark], env);
  await using malformed = new Program('python3', [join(FIXTURES, 'sleeper.py'), sandbox.mark], {
    ...{ PATH: process.env['PATH'], TRACEPARENT: 'sk-secret', OTEL_RESOURCE_ATTRIBUTES: 'sk-secret' },
  });
  for (const program of [agent, malformed]) await program.line(/^ready/);
  await using daemon = await sandbox.watch('--log-level', 'debug', '--link-agent-telemetry');
  await daemon.line(new RegExp(`the own telemetry of process ${malformed.pid}: TRACEPARENT does not count`));
  await daemon.line(
    new RegExp(`the own telemetry of process ${malformed.pid}: OTEL_RESOURCE_ATTRIBUTES does not count`),
  );
  await agent.stop();
  await malformed.stop();
  await daemon.stop();
  expect(spansOf(sandbox.stateDir, 'attach').map(({ links = [] }) => links)).toEqual([[], []]);
});
