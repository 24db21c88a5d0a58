/**
 * Writes the tables of docs/telemetry.md that the code has: metrics, events, attributes, reasons to discard, environment variables. What is between the marks is
 * replaced, all else is left as it is.
 *   node scripts/telemetryTables.ts
 * `npm run docs` does it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { SeverityNumber } from '@opentelemetry/api';
import { VARIABLES } from '../otel/environment/variables.ts';
import { EVENTS } from '../src/telemetry/events.ts';
import { METRICS } from '../src/telemetry/metrics.ts';

const PAGE = new URL('../docs/telemetry.md', import.meta.url);
const HEADER = new URL('../native/include/taut.h', import.meta.url);
const SEMCONV = new URL('../src/telemetry/semconv.ts', import.meta.url);

/** The page with its tables as the code has them. @throws Error when a mark or a comment is missing. */
export function withTables(page: string): string {
  return Object.entries({ variables, metrics, events, attributes, reasons }).reduce((text, [name, table]) => {
    const begin = `<!-- ${name}: written by npm run docs -->\n`;
    const [before, rest] = text.split(begin);
    const end = `<!-- end of ${name} -->\n`;
    const [, after] = rest?.split(end) ?? [];
    if (before === undefined || after === undefined) throw new Error(`docs/telemetry.md has no marks for ${name}`);
    return `${before}${begin}\n${table()}\n${end}${after}`;
  }, page);
}

function variables(): string {
  const rows = VARIABLES.map(({ written, use, rule, deviation = '' }) => [code(written), use, rule, deviation]);
  return table(['variable', 'taut', 'values (default), and what they do', 'unlike the specification'], rows);
}

function metrics(): string {
  const rows = Object.entries(METRICS).map(([name, { kind, unit, description, splitBy }]) => [
    ...[code(name), `${kind}, ${unit}`, description, splitBy.map(code).join(', ')],
  ]);
  return table(['metric', 'kind, unit', 'what it is', 'split by'], rows);
}

function events(): string {
  const rows = Object.entries(EVENTS).map(([name, { severity, when, attributes }]) => [
    ...[code(name), SeverityNumber[severity], when, attributes.map(code).join(', ')],
  ]);
  return table(['event', 'severity', 'when', 'attributes'], rows);
}

/** Each with the comment that stands before its constant. */
function attributes(): string {
  const text = readFileSync(SEMCONV, 'utf8');
  const all = [...text.matchAll(/^(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export const ATTR_TAUT_\w+ = '(.+)';/gm)];
  const rows = all.map(([, comment, name = '']) => {
    if (comment === undefined) throw new Error(`src/telemetry/semconv.ts does not say what ${name} is`);
    return [code(name === 'taut.threads' ? `${name}.OUTCOME` : name), comment.replace(/\s*\n \*\s*/g, ' ').trim()];
  });
  return table(['attribute', 'what it is'], rows);
}

/** Each with the comment beside its counter. */
function reasons(): string {
  const all = [...readFileSync(HEADER, 'utf8').matchAll(/X\(discard_(\w+)\)(?: *\/\* (.+) \*\/)?/g)];
  const rows = all.map(([, reason = '', comment]) => {
    if (comment === undefined) throw new Error(`native/include/taut.h does not say what discard_${reason} is`);
    return [code(reason), comment];
  });
  return table(['reason', 'meaning'], rows);
}

const code = (text: string) => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|\n`;
  return `${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`;
}

if (import.meta.main) writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));
