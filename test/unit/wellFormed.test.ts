import { expect, test } from 'vitest';
import type { Span } from '../support/otlp.ts';
import { wellFormed } from '../support/spans.ts';

const span = (spanId: string, parentSpanId: string, traceId = 't1'): Span => ({
  ...{ traceId, spanId, parentSpanId, name: `span ${spanId}` },
  ...{ startTimeUnixNano: '0', endTimeUnixNano: '0', attributes: [] },
});

test('takes traces that each have one root, from which all others come', () => {
  const spans = [span('a', ''), span('b', 'a'), span('c', 'b'), span('a', '', 't2')];
  expect(wellFormed(spans)).toEqual(spans);
});

/** A span below one of another process. */
const below = (spanId: string, parentSpanId: string): Span => ({ ...span(spanId, parentSpanId), flags: 0x301 });

test('takes traces whose root is the span of another process, here or elsewhere', () => {
  const elsewhere = [below('a', 'x'), span('b', 'a'), below('c', 'x')];
  expect(wellFormed(elsewhere)).toEqual(elsewhere);
  const here = [span('x', ''), below('a', 'x')];
  expect(wellFormed(here)).toEqual(here);
  expect(() => wellFormed([below('a', 'x'), below('b', 'y')])).toThrow(/2 roots/);
});

test.each([
  ['an id twice', [span('a', ''), span('a', 'a')], /two spans with one id/],
  ['a span that is its own parent', [span('a', ''), span('b', 'b')], /span b .*circle/],
  ['two that are parents of each other', [span('a', ''), span('b', 'c'), span('c', 'b')], /circle/],
  ['a parent in another trace', [span('a', ''), span('x', '', 't2'), span('b', 'x')], /span b .*not there/],
  ['two roots', [span('a', ''), span('b', '')], /2 roots/],
  ['no root', [span('b', 'a')], /0 roots/],
] as const)('names %s', (_, spans, wrong) => {
  expect(() => wellFormed(spans)).toThrow(wrong);
});
