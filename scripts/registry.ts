/**
 * Makes the constants of `src/telemetry/` from the registry of names in `otel/registry/`, whose format is that of
 * OpenTelemetry's semantic conventions.
 *   node scripts/registry.ts
 * `npm run docs` does it.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const ROOT = new URL('..', import.meta.url).pathname;

interface Attribute {
  /** Defined here; else `ref`: defined here elsewhere, or by OpenTelemetry. */
  readonly id?: string;
  readonly ref?: string;
  readonly type?: string;
  /** Markdown; links are relative to docs/. */
  readonly brief?: string;
}

export interface Group {
  readonly id: string;
  readonly type: 'attribute_group' | 'span' | 'event' | 'metric';
  readonly display_name?: string;
  readonly brief: string;
  readonly note?: string;
  /** Of an event. */
  readonly name?: string;
  readonly metric_name?: string;
  readonly instrument?: keyof typeof KINDS;
  readonly unit?: string;
  readonly annotations?: { readonly taut: { readonly severity: string } };
  readonly attributes?: readonly Attribute[];
}

/** As the code and the page call the instruments. All histograms are exponential ones. */
export const KINDS = {
  histogram: 'exponential histogram',
  counter: 'counter',
  updowncounter: 'up-down counter',
  gauge: 'gauge',
} as const;

const FILES = ['attributes', 'resource', 'spans', 'events', 'metrics'];

/** All groups, in the order of the files and of what is in each. */
export const GROUPS: readonly Group[] = FILES.flatMap((file) => {
  const text = readFileSync(`${ROOT}otel/registry/${file}.yaml`, 'utf8');
  return (parse(text) as { groups: Group[] }).groups;
});

export const groupsOf = (type: Group['type']) => GROUPS.filter((group) => group.type === type);

/** The names of its attributes. */
export function namesOf({ attributes = [] }: Group): string[] {
  return attributes.map(({ id, ref }) => id ?? ref ?? '');
}

/** taut's own attributes. */
export const OWN = GROUPS.flatMap(({ attributes = [] }) => attributes.filter(({ id }) => id !== undefined));

/** Those of OpenTelemetry that taut uses. */
export function foreignNames(): string[] {
  const own = new Set(OWN.map(({ id }) => id));
  return [...new Set(GROUPS.flatMap(namesOf))].filter((name) => !own.has(name)).toSorted();
}

const HEAD = '// Written by npm run docs from otel/registry: change that, not this.';

/** The text of `src/telemetry/semconv.ts`. */
export function constants(): string {
  const spans = groupsOf('span').map(({ id }) => id.replace(/^span\.taut\./, ''));
  const sections = GROUPS.filter(({ attributes = [] }) => attributes.some(({ id }) => id !== undefined)).map(
    ({ display_name, attributes = [] }) => [
      `// ${display_name}.`,
      ...attributes.map(({ id = '', brief = '' }) => `${comment(brief)}\n${constant('ATTR', id)}`),
    ],
  );
  const all = [
    [HEAD, '', "export const SCOPE_NAME = 'taut';"],
    ['// Spans.', ...spans.map((name) => constant('SPAN', name))],
    ["// Attributes of OpenTelemetry's conventions.", ...foreignNames().map((name) => constant('ATTR', name))],
    ...sections,
  ];
  return all.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** The text of `src/telemetry/described.ts`. */
export function descriptions(): string {
  const metrics = groupsOf('metric').map((group) => {
    const { metric_name: name = '', instrument = 'gauge', unit = '', brief } = group;
    const fields = { kind: KINDS[instrument], unit, description: brief.trim(), splitBy: namesOf(group) };
    return entry(name, fields);
  });
  const events = groupsOf('event').map((group) => {
    const fields = { severity: group.annotations?.taut.severity, when: group.brief.trim(), attributes: namesOf(group) };
    return entry(group.name ?? '', fields);
  });
  const table = (name: string, entries: readonly string[]) =>
    `export const ${name} = {\n${entries.join('')}} as const;\n`;
  return `${HEAD}\n\n${table('DESCRIBED_METRICS', metrics)}\n${table('DESCRIBED_EVENTS', events)}`;
}

function entry(name: string, fields: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(fields).map(([field, value]) => `    ${field}: ${JSON.stringify(value)},\n`);
  return `  ${JSON.stringify(name)}: {\n${lines.join('')}  },\n`;
}

function constant(prefix: string, name: string): string {
  return `export const ${prefix}_${name.toUpperCase().replaceAll('.', '_')} = '${name}';`;
}

const WIDTH = 120;

function comment(text: string): string {
  const words = text.trim().split(/\s+/);
  const one = `/** ${words.join(' ')} */`;
  if (one.length <= WIDTH) return one;
  const lines = [''];
  for (const word of words) {
    const last = lines.at(-1) ?? '';
    if (` * ${last} ${word}`.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return ['/**', ...lines.map((line) => ` * ${line}`), ' */'].join('\n');
}

/** What is made, by file. */
export const MADE = {
  'src/telemetry/semconv.ts': constants,
  'src/telemetry/described.ts': descriptions,
} as const;

/** The files of the registry that `GROUPS` leaves out. */
export function unreadFiles(): string[] {
  const all = globSync('otel/registry/*.yaml', { cwd: ROOT }).map((path) => path.replace(/^.*\/|\.yaml$/g, ''));
  return all.filter((name) => name !== 'registry_manifest' && !FILES.includes(name));
}

if (import.meta.main) for (const [path, make] of Object.entries(MADE)) writeFileSync(`${ROOT}${path}`, make());
