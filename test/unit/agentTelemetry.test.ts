/** What is taken of an agent's environment. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { telemetryIn } from '../../src/agents/agentTelemetry.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const environ = (...entries: string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(''));

test('the span, the service and the session are taken, and nothing else', () => {
  const secrets = [
    'API_KEY=sk-secret',
    'XTRACEPARENT=secret',
    'TRACEPARENTS=secret',
    'OTEL_EXPORTER_OTLP_HEADERS=k=secret',
    'secret',
  ];
  const list =
    'service.namespace=shop,user.email=secret@x,session.id=s%201,deployment.key=secret,service.version=2,services.x=secret';
  const found = telemetryIn(
    environ(
      ...secrets,
      `TRACEPARENT=${TRACEPARENT}`,
      'OTEL_SERVICE_NAME=claude',
      `OTEL_RESOURCE_ATTRIBUTES=${list}`,
      ...secrets,
    ),
  );
  expect(found).toEqual({
    parent: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', isSampled: true },
    attributes: { 'service.namespace': 'shop', 'session.id': 's 1', 'service.version': '2', 'service.name': 'claude' },
  });
});

test("OTEL_SERVICE_NAME comes before the list's, and the first of two variables counts", () => {
  const of = (...entries: string[]) => telemetryIn(environ(...entries)).attributes['service.name'];
  expect(of('OTEL_RESOURCE_ATTRIBUTES=service.name=list')).toBe('list');
  expect(of('OTEL_RESOURCE_ATTRIBUTES=service.name=list', 'OTEL_SERVICE_NAME=own')).toBe('own');
  expect(of('OTEL_SERVICE_NAME=first', 'OTEL_SERVICE_NAME=second')).toBe('first');
  expect(of('OTEL_SERVICE_NAME=', 'OTEL_RESOURCE_ATTRIBUTES=service.name=list')).toBe('list');
});

test.each([
  ['TRACEPARENT=secret', 'TRACEPARENT'],
  ['OTEL_RESOURCE_ATTRIBUTES=service.name=a,secret', 'OTEL_RESOURCE_ATTRIBUTES'],
  ['OTEL_RESOURCE_ATTRIBUTES=service.name=%zzsecret', 'OTEL_RESOURCE_ATTRIBUTES'],
  ['OTEL_RESOURCE_ATTRIBUTES=service.name=a=secret', 'OTEL_RESOURCE_ATTRIBUTES'],
  [`OTEL_SERVICE_NAME=${'secret'.repeat(10_000)}`, 'OTEL_SERVICE_NAME'],
])('what is malformed or too long is named without its content: %s', (entry, name) => {
  const said: string[] = [];
  expect(telemetryIn(environ(entry), (why) => void said.push(why))).toEqual({ parent: undefined, attributes: {} });
  expect(said).toEqual([
    expect.stringMatching(new RegExp(`^${name} does not count: it is (malformed|longer than 8192 bytes)$`)),
  ]);
});

test('values are short and printable, and there are few of them', () => {
  const many = Array.from({ length: 99 }, (_, i) => `service.x${i}=${'%1b'.repeat(300)}`).join(',');
  const { attributes } = telemetryIn(
    environ(`OTEL_RESOURCE_ATTRIBUTES=${many.slice(0, 8_000).replace(/,[^,]*$/, '')}`),
  );
  expect(Object.keys(attributes).length).toBeLessThanOrEqual(16);
  for (const value of Object.values(attributes)) expect(value).toMatch(/^[ -~]{1,200}$/);
});

test('an entry that is cut off is not taken', () => {
  expect(telemetryIn(Buffer.from('A=b\0OTEL_SERVICE_NAME=cl')).attributes).toEqual({});
});

test('no bytes make it fail, or have it say what it read', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('', 'TRACEPARENT=', 'OTEL_RESOURCE_ATTRIBUTES='),
      (bytes, name) => {
        const said: string[] = [];
        telemetryIn(Buffer.concat([Buffer.from(name), bytes, Buffer.from([0])]), (why) => void said.push(why));
        for (const why of said) expect(why).toMatch(/^[\w ]+: it is malformed$/);
      },
    ),
    { numRuns: 1_000 },
  );
});
