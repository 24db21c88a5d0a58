/** One trace, as Jaeger has it. */
import { type Span, spansOf, type TraceRequest } from '../support/otlp.ts';

/** The context of a made-up CI job that starts an agent. */
export interface Job {
  readonly traceId: string;
  readonly spanId: string;
  /** For the variable. */
  readonly traceparent: string;
}

export function job(): Job {
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  const [traceId, spanId] = [`1${hex(31)}`, `1${hex(15)}`];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

/** Every span of a trace; none when Jaeger has no such trace yet. */
export async function traceOf(jaeger: string, traceId: string): Promise<Span[]> {
  const reply = await fetch(`${jaeger}/api/v3/traces/${traceId}`);
  if (!reply.ok) return [];
  return spansOf([((await reply.json()) as { result: TraceRequest }).result]);
}

/** The names of the spans above one, the nearest first, and what the topmost has as its parent. */
export function above(
  span: Span,
  trace: readonly Span[],
): { readonly names: string[]; readonly top: string | undefined } {
  const names: string[] = [];
  let at = span;
  for (;;) {
    const parent = trace.find(({ spanId }) => spanId === at.parentSpanId);
    if (!parent || names.length > trace.length) return { names, top: at.parentSpanId };
    names.push(parent.name);
    at = parent;
  }
}

/** The names of the spans of the traces in which a service has a span with this attribute: what Jaeger's page asks its server. */
export async function namesWith(jaeger: string, service: string, key: string, value: string): Promise<string[]> {
  const query = new URLSearchParams({ service, tags: JSON.stringify({ [key]: value }), lookback: '1h', limit: '100' });
  const reply = await fetch(`${jaeger}/api/traces?${query}`);
  const { data } = (await reply.json()) as { data?: { spans: { operationName: string }[] }[] | null };
  return (data ?? []).flatMap(({ spans }) => spans.map(({ operationName }) => operationName));
}
