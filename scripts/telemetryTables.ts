/**
 * Writes the tables of docs/telemetry.md: spans, events, metrics and attributes from `otel/registry/`, environment variables from
 * their table, reasons to discard from the kernel's header. What is between the marks is replaced, all else is left as it is.
 *   node scripts/telemetryTables.ts
 * `npm run docs` does it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { VARIABLES } from '../otel/environment/variables.ts';
import { groupsOf, KINDS, namesOf, OWN } from './registry.ts';

const PAGE = new URL('../docs/telemetry.md', import.meta.url);
const HEADER = new URL('../native/include/taut.h', import.meta.url);

/** The page with its tables as the code has them. @throws Error when a mark or a comment is missing. */
export function withTables(page: string): string {
  return Object.entries({ variables, spans, metrics, events, attributes, reasons }).reduce((text, [name, table]) => {
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

function spans(): string {
  const rows = groupsOf('span').map((span) => {
    const attributes = namesOf(span).map(attribute).join(', ');
    const more = span.note === undefined ? '' : `. ${span.note.trim()}`;
    return [code(span.id.replace(/^span\.taut\./, '')), span.brief.trim(), `${attributes}${more}`];
  });
  return table(['span', 'from, to', 'its own attributes'], rows);
}

function metrics(): string {
  const rows = groupsOf('metric').map((metric) => {
    const { metric_name: name = '', instrument = 'gauge', unit = '', brief } = metric;
    return [code(name), `${KINDS[instrument]}, ${unit}`, brief.trim(), namesOf(metric).map(code).join(', ')];
  });
  return table(['metric', 'kind, unit', 'what it is', 'split by'], rows);
}

function events(): string {
  const rows = groupsOf('event').map((event) => {
    const severity = event.annotations?.taut.severity ?? '';
    return [code(event.name ?? ''), severity, event.brief.trim(), namesOf(event).map(code).join(', ')];
  });
  return table(['event', 'severity', 'when', 'attributes'], rows);
}

function attributes(): string {
  return table(
    ['attribute', 'what it is'],
    OWN.map(({ id = '', brief = '' }) => [attribute(id), brief.trim()]),
  );
}

function attribute(name: string): string {
  return code(name === 'taut.threads' ? `${name}.OUTCOME` : name);
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
