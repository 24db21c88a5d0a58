/** The part of OTLP in JSON that the tests read from backends. */

export interface Attribute {
  readonly key: string;
  readonly value: Record<string, unknown>;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string; readonly attributes?: Attribute[] }[];
  /** W3C's flags; 0x200: the parent is in another process. */
  readonly flags?: number;
  readonly status?: { readonly code?: number };
}

export interface TraceRequest {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Span[] }[] }[];
}

export interface HistogramPoint {
  readonly attributes: Attribute[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  /** The collector leaves it out where it is 0. */
  readonly count?: string | number;
  readonly sum: number;
  readonly scale: number;
  readonly zeroCount?: string | number;
  readonly positive: { readonly offset?: number; readonly bucketCounts?: (string | number)[] };
}

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly exponentialHistogram?: { readonly aggregationTemporality: number; readonly dataPoints: HistogramPoint[] };
  readonly sum?: {
    readonly aggregationTemporality: number;
    readonly dataPoints: {
      readonly attributes: Attribute[];
      readonly asDouble?: number;
      readonly asInt?: string;
      readonly timeUnixNano?: string;
    }[];
  };
}

export interface MetricRequest {
  readonly resourceMetrics: { readonly scopeMetrics: { readonly metrics: Metric[] }[] }[];
}

export function spansOf(requests: readonly TraceRequest[]): Span[] {
  return requests
    .flatMap((r) => r.resourceSpans)
    .flatMap((r) => r.scopeSpans)
    .flatMap((s) => s.spans);
}

export function metricsOf(requests: readonly MetricRequest[], name: string): Metric[] {
  const all = requests
    .flatMap((r) => r.resourceMetrics)
    .flatMap((r) => r.scopeMetrics)
    .flatMap((s) => s.metrics);
  return all.filter((metric) => metric.name === name);
}

/** Attributes as one object. 64-bit integers, which are text in JSON, become numbers. */
export function values(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      'intValue' in value ? Number(value['intValue']) : Object.values(value)[0],
    ]),
  );
}

export const DELTA = 1;

/** Of what every export says: in delta it says what is new, else all since the start. */
export function total(exports: readonly { readonly isDelta: boolean; readonly count: number }[]): number {
  const last = exports.at(-1);
  return last?.isDelta ? exports.reduce((all, { count }) => all + count, 0) : (last?.count ?? 0);
}

/** The wakeups of any thread that were discarded, for whatever reason. @param exports of `taut.tracer.events`. */
export function discardedWakeups(exports: readonly Metric[]): number {
  return total(
    exports.map(({ sum }) => {
      const points = (sum?.dataPoints ?? []).filter(
        ({ attributes }) => values(attributes)['taut.tracer.outcome'] === 'discarded',
      );
      const count = points.reduce((all, point) => all + (point.asDouble ?? Number(point.asInt ?? 0)), 0);
      return { isDelta: sum?.aggregationTemporality === DELTA, count };
    }),
  );
}
