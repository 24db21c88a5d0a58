/** The spans that taut wrote into its embedded sink. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number };
}

interface Request {
  readonly resourceSpans: {
    readonly scopeSpans: {
      readonly spans: {
        readonly name: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes: Attribute[];
      }[];
    }[];
  }[];
}

export interface Attached {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly agent: string;
  /** From the kernel's time stamp of what made it an agent to the end of the first round, milliseconds. */
  readonly tookMs: number;
}

/** Every `attach` span in the state directory. */
export function attachSpans(stateDir: string): Attached[] {
  const lines = readFileSync(join(stateDir, 'otlp/traces.jsonl'), 'utf8').trim().split('\n');
  const scopes = lines.flatMap((line) => (JSON.parse(line) as Request).resourceSpans.flatMap((r) => r.scopeSpans));
  return scopes
    .flatMap(({ spans }) => spans)
    .filter(({ name }) => name === 'attach')
    .map(({ attributes, startTimeUnixNano, endTimeUnixNano }) => {
      const of = (key: string) => {
        const value = attributes.find((a) => a.key === key)?.value;
        return String(value?.stringValue ?? value?.intValue);
      };
      return {
        pid: Number(of('process.pid')),
        createdMs: Date.parse(of('process.creation.time')),
        agent: of('taut.agent.name'),
        tookMs: Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6,
      };
    });
}
