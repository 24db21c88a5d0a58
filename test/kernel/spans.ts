/** The spans that taut wrote into its embedded sink. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spansOf as allSpans, type Span, type TraceRequest, values } from '../backends/otlp.ts';

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
  return allSpans(lines.map((line) => JSON.parse(line) as TraceRequest)).filter((span) => span.name === name);
}

/** An attribute, as text; `undefined` where there is none. */
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
