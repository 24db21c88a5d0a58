/** Makes the span `run`, whose ids the command was told when it was started. */
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { tautTracer } from '../../telemetry/scope.ts';
import * as semconv from '../../telemetry/semconv.ts';
import { spanContextOf } from '../../telemetry/spanContext.ts';
import type { Carried } from './carried.ts';
import type { CommandEnd } from './held.ts';
import { endAttributes, runAttributes, runResource } from './runAttributes.ts';

/** Begins it: the first span of an SDK that knows its ids. Undefined where traces go nowhere. */
export function beginRunSpan(carried: Carried, pid: number | undefined): Span | undefined {
  const { span } = carried;
  if (!span) return undefined;
  const around = span.parent ? trace.setSpanContext(ROOT_CONTEXT, spanContextOf(span.parent)) : ROOT_CONTEXT;
  const attributes = runAttributes(span, carried, pid);
  return tautTracer().startSpan(
    semconv.SPAN_RUN,
    { kind: SpanKind.INTERNAL, startTime: span.startMs, attributes },
    around,
  );
}

export function endRunSpan(span: Span, end: CommandEnd): void {
  const { attributes, failure } = endAttributes(end);
  span.setAttributes(attributes);
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  span.end(end.atMs);
}

/** What an SDK is started with for it: the ids to begin with, and what its resource has. */
export function ofRun(carried: Carried) {
  const { span } = carried;
  return {
    firstSpan: span && { spanId: span.spanId, traceId: span.parent ? undefined : span.traceId },
    resource: runResource(carried),
  };
}
