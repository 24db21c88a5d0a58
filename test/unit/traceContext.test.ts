import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBaggage, isTracestate, parseTraceparent, traceparentOf } from '../../src/telemetry/traceContext.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  [`00-${TRACE}-${SPAN}-01`, true],
  [`00-${TRACE}-${SPAN}-00`, false],
  [`00-${TRACE}-${SPAN}-03`, true],
  [`00-${TRACE}-${SPAN}-08`, false],
  // A later version may have more.
  [`cc-${TRACE}-${SPAN}-01`, true],
  [`cc-${TRACE}-${SPAN}-01-what-comes`, true],
])('%s is a trace context', (text, isSampled) => {
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
});

test.each([
  '',
  'nonsense',
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE}-${SPAN}-01 `,
  `00-${TRACE}-${SPAN}-01\n`,
  `ff-${TRACE}-${SPAN}-01`,
  `cc-${TRACE}-${SPAN}-01.more`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
])('%j is none', (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test('what is written is read again', () => {
  const id = (digits: number) =>
    fc.bigInt({ min: 1n, max: 16n ** BigInt(digits) - 1n }).map((n) => n.toString(16).padStart(digits, '0'));
  fc.assert(
    fc.property(id(32), id(16), fc.boolean(), (traceId, spanId, isSampled) => {
      const context = { traceId, spanId, isSampled };
      expect(parseTraceparent(traceparentOf(context))).toEqual(context);
    }),
  );
});

test.each([
  ['rojo=00f067aa0ba902b7', true],
  ['rojo=1, congo=t61rcWkgMzE', true],
  ['fw529a3039@dt=FfAAAA,,b=2', true],
  ['a= b', true],
  ['a=1,a=2', false],
  ['A=1', false],
  ['a', false],
  ['a=', false],
  ['a=b=c', false],
  [Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(','), false],
])('tracestate %j: %s', (text, isRight) => {
  expect(isTracestate(text)).toBe(isRight);
});

test.each([
  ['user=7', true],
  ['user=7;ttl=3;x , b = %20', true],
  ['user=', true],
  ['user', false],
  [';;', false],
  ['a b=1', false],
  ['a="q"', false],
  [`a=${'x'.repeat(8_192)}`, false],
])('baggage %j: %s', (text, isRight) => {
  expect(isBaggage(text)).toBe(isRight);
});
