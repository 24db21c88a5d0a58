/** The spans that taut wrote into its embedded sink. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number };
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Attribute[];
}

interface Request {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Span[] }[] }[];
}

export interface Attached {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly agent: string;
  /** From the kernel's time stamp of what made it an agent to the end of the first round, milliseconds. */
  readonly tookMs: number;
}

/** Every span of that name in the state directory. */
export function spansOf(stateDir: string, name: string): Span[] {
  const lines = readFileSync(join(stateDir, 'otlp/traces.jsonl'), 'utf8').trim().split('\n');
  const scopes = lines.flatMap((line) => (JSON.parse(line) as Request).resourceSpans.flatMap((r) => r.scopeSpans));
  return scopes.flatMap(({ spans }) => spans).filter((span) => span.name === name);
}

/** An attribute, as text. */
export function attribute({ attributes }: Span, key: string): string {
  const value = attributes.find((a) => a.key === key)?.value;
  return String(value?.stringValue ?? value?.intValue);
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
