import { createTraceState, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { TraceContext } from './traceContext.ts';

/** A span of another process, as OpenTelemetry's API has it. */
export function spanContextOf({ traceId, spanId, isSampled, state }: TraceContext): SpanContext {
  return {
    ...{ traceId, spanId, isRemote: true },
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  };
}
