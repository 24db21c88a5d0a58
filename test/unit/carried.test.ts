/** What of the trace context `taut run` hands on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { carry } from '../../src/cli/run/carried.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'taut-carried-'));
afterAll(() => rmSync(stateDir, { recursive: true }));

const carried = (env: NodeJS.ProcessEnv, dir = stateDir) =>
  carry({ command: ['/opt/bin/agent', '--key=secret'], env, telemetry: env, stateDir: dir });
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = `00-${TRACE}-b7ad6b7169203331-01`;

test('a command gets a trace of its own, and the id of its run', async () => {
  const { env, span, runId } = await carried({ PATH: '/bin' });
  expect(span).toMatchObject({ parent: undefined, isSampled: true, command: 'agent' });
  expect(env).toEqual({
    PATH: '/bin',
    TRACEPARENT: `00-${span?.traceId}-${span?.spanId}-01`,
    OTEL_RESOURCE_ATTRIBUTES: `taut.run.id=${runId}`,
  });
  const other = await carried({});
  expect(other.span?.traceId).not.toBe(span?.traceId);
  expect(other.runId).not.toBe(runId);
});

test("the caller's trace goes on, with its state", async () => {
  const { env, span } = await carried({ TRACEPARENT: CALLER, TRACESTATE: 'a=b', BAGGAGE: 'user=7' });
  expect(span).toMatchObject({ traceId: TRACE, state: 'a=b', parent: { spanId: 'b7ad6b7169203331' } });
  expect(span?.spanId).not.toBe('b7ad6b7169203331');
  expect(env).toMatchObject({ TRACEPARENT: `00-${TRACE}-${span?.spanId}-01`, TRACESTATE: 'a=b', BAGGAGE: 'user=7' });
});

test('what is malformed does not count, and is named without its content', async () => {
  const wrong = await carried({ TRACEPARENT: 'secret', TRACESTATE: 'a=b', BAGGAGE: 'secret' });
  expect(wrong.span?.parent).toBeUndefined();
  expect(wrong.env).not.toHaveProperty('TRACESTATE'); // it is of no trace
  expect(wrong.env['BAGGAGE']).toBe('secret'); // may be another program's
  expect(wrong.ignored).toHaveLength(2);
  expect(wrong.ignored.join()).not.toContain('secret');
  const state = await carried({ TRACEPARENT: CALLER, TRACESTATE: '=' });
  expect(state.span?.traceId).toBe(TRACE);
  expect(state.env).not.toHaveProperty('TRACESTATE');
  expect((await carried({ TRACEPARENT: '', TRACESTATE: '', BAGGAGE: '' })).ignored).toEqual([]);
});

test.each([
  ['', /^taut\.run\.id=[\w-]+$/],
  ['a=1,b=%2C', /^a=1,b=%2C,taut\.run\.id=[\w-]+$/],
  ['a=1,', /^a=1,taut\.run\.id=[\w-]+$/],
  ['taut.run.id=mine,a=1', /^taut\.run\.id=mine,a=1$/],
])('the id is added to the resource attributes %j', async (given, becomes) => {
  const { env, runId } = await carried({ OTEL_RESOURCE_ATTRIBUTES: given });
  expect(env['OTEL_RESOURCE_ATTRIBUTES']).toMatch(becomes);
  expect(env['OTEL_RESOURCE_ATTRIBUTES']).toContain(`taut.run.id=${runId}`);
});

test.each([
  { OTEL_SDK_DISABLED: 'true' },
  { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
])('nothing is set where telemetry is off: %j', async (off) => {
  const env = { ...off, TRACEPARENT: 'any', OTEL_RESOURCE_ATTRIBUTES: 'a=1' };
  expect(await carried(env)).toMatchObject({ env, span: undefined, runId: undefined });
});

test('nothing is set where the embedded sink has no place', async () => {
  const file = join(stateDir, 'file');
  writeFileSync(file, '');
  expect((await carried({ A: 'b' }, file)).env).toEqual({ A: 'b' });
});

test('without traces the command has the id of the run alone; its own context stays', async () => {
  const { env, span, runId } = await carried({ OTEL_TRACES_EXPORTER: 'none', TRACEPARENT: CALLER });
  expect([span, env['TRACEPARENT'], env['OTEL_RESOURCE_ATTRIBUTES']]).toEqual([
    undefined,
    CALLER,
    `taut.run.id=${runId}`,
  ]);
});

test.each(['none', 'b3', 'baggage'])('OTEL_PROPAGATORS=%s: no trace context is read or handed on', async (names) => {
  const { env, span } = await carried({ OTEL_PROPAGATORS: names, TRACEPARENT: CALLER });
  expect(span?.parent).toBeUndefined();
  expect(env['TRACEPARENT']).toBe(CALLER);
  const { env: usual } = await carried({ OTEL_PROPAGATORS: 'baggage, tracecontext', TRACEPARENT: CALLER });
  expect(usual['TRACEPARENT']).not.toBe(CALLER);
});

test.each([
  ['always_off', undefined, false],
  ['parentbased_always_off', undefined, false],
  ['parentbased_always_off', CALLER, true],
  ['always_on', CALLER.replace(/01$/, '00'), true],
  ['parentbased_always_on', CALLER.replace(/01$/, '00'), false],
  ['traceidratio', undefined, false],
])('the sampler %s, called by %s: sampled %s', async (sampler, caller, isSampled) => {
  const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: '0', ...(caller && { TRACEPARENT: caller }) };
  const { span, env: child } = await carried(env);
  expect(span?.isSampled).toBe(isSampled);
  expect(child['TRACEPARENT']?.slice(-2)).toBe(isSampled ? '01' : '00');
});
