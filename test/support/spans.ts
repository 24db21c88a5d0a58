/** Reads the spans that taut wrote into its embedded sink. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Span, spansOf as spansIn, type TraceRequest, values } from './otlp.ts';

export interface Attached {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly agent: string;
  /** Milliseconds from the kernel's timestamp of the event that made it an agent to the end of the first round. */
  readonly tookMs: number;
}

/** Every span of this name in the state directory. */
export function spansOf(stateDir: string, name: string): Span[] {
  return allSpans(stateDir).filter((span) => span.name === name);
}

/** Every span in the state directory; empty when there is no sink. @throws Error as `wellFormed` */
export function allSpans(stateDir: string): Span[] {
  const lines = ['.2', '.1', ''].flatMap((end) => {
    const path = join(stateDir, `otlp/traces.jsonl${end}`);
    // A killed taut may leave half a line.
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  });
  return wellFormed(spansIn(lines.map((line) => JSON.parse(line) as TraceRequest)));
}

/**
 * Returns the same spans after a check. In every trace, ids are distinct, one span is the root, every other span's
 * parent exists, and every path from parent to parent ends at the root. What is instead of the root may be a span of another
 * process, elsewhere. @throws Error that names each wrong span.
 */
export function wellFormed(spans: readonly Span[]): Span[] {
  const wrong = [...Map.groupBy(spans, ({ traceId }) => traceId).values()].flatMap(wrongIn);
  if (wrong.length > 0) throw new Error(`malformed traces:\n${wrong.join('\n')}`);
  return [...spans];
}

/** OTLP's flag of a span whose parent is in another process. */
const IS_REMOTE = 0x200;

function wrongIn(trace: readonly Span[]): string[] {
  const wrong: string[] = [];
  const byId = new Map(trace.map((span) => [span.spanId, span]));
  if (byId.size < trace.length) wrong.push(`${describe(trace)}: two spans with one id`);
  // A `taut run` that is killed has no span `run`, which its agents are below.
  const isElsewhere = ({ name, parentSpanId, flags = 0 }: Span) =>
    Boolean(parentSpanId) && !byId.has(parentSpanId ?? '') && ((flags & IS_REMOTE) !== 0 || name === 'attach');
  const top = (span: Span) => (isElsewhere(span) ? span.parentSpanId : span.parentSpanId ? undefined : span.spanId);
  const roots = [...new Set(trace.flatMap((span) => top(span) ?? []))];
  if (roots.length !== 1) wrong.push(`${describe(trace)}: ${roots.length} roots`);
  for (const span of trace) {
    const way = new Set<Span>();
    for (let at: Span | undefined = span; at?.parentSpanId; at = byId.get(at.parentSpanId)) {
      if (way.has(at)) wrong.push(`${describe([span])}: goes round in a circle`);
      else if (isElsewhere(at)) break;
      else if (!byId.has(at.parentSpanId)) wrong.push(`${describe([span])}: its parent is not there`);
      else if (way.add(at)) continue;
      break;
    }
  }
  return wrong;
}

function describe(spans: readonly Span[]): string {
  return spans.map((s) => `${s.traceId}/${s.spanId} ${s.name} (parent ${s.parentSpanId || 'none'})`).join(', ');
}

/** An attribute as text; the text `undefined` when it is missing. */
export function attribute({ attributes }: Span, key: string): string {
  return String(values(attributes)[key]);
}

/** Every `attach` span in the state directory. */
export function attachSpans(stateDir: string): Attached[] {
  return spansOf(stateDir, 'attach').map((span) => ({
    pid: Number(attribute(span, 'process.pid')),
    createdMs: Date.parse(attribute(span, 'process.creation.time')),
    agent: attribute(span, 'taut.agent.name'),
    tookMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
  }));
}
