import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

/** Ids of a span that somebody was told before there was an SDK. */
export interface ReservedIds {
  readonly spanId: string;
  /** Undefined where the span has a parent, whose trace it is in. */
  readonly traceId: string | undefined;
}

/** Random ids, but for the first span. */
export function idsAfter(first: ReservedIds | undefined): IdGenerator {
  const random = new RandomIdGenerator();
  let { spanId, traceId } = first ?? {};
  return {
    generateSpanId() {
      const id = spanId ?? random.generateSpanId();
      spanId = undefined;
      return id;
    },
    generateTraceId() {
      const id = traceId ?? random.generateTraceId();
      traceId = undefined;
      return id;
    },
  };
}
