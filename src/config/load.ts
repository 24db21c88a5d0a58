/** Configuration files: YAML (and JSON, which is YAML), with the place of every mistake. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, type LineCounter, LineCounter as Lines, parseDocument } from 'yaml';
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { type Config, configSchema, ruleSchema } from './schema.ts';

/** `file:line:column: what; what to do`. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** The defaults when there is no file: the built-in rules alone. @throws ConfigError naming the first mistake's place. */
export function loadConfig(path: string | undefined): Config {
  if (path === undefined) return configSchema.parse({ version: 1 });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path}: ${(error as Error).message}`);
  }
  return parseConfig(text, path);
}

export function parseConfig(text: string, file: string): Config {
  const lines = new Lines();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new ConfigError(`${place(file, lines, error.pos[0])}: ${error.message}`);
  const parsed = configSchema.safeParse(toData(document, file) ?? {});
  if (!parsed.success) throw mistake(parsed.error.issues, document, lines, file);
  const ids = new Map<string, number>();
  for (const [i, { id }] of parsed.data.rules.entries()) {
    const before = ids.get(id);
    if (before !== undefined)
      throw new ConfigError(
        `${placeOf(['rules', i, 'id'], document, lines, file)}: rule ${before + 1} has the id "${id}" already`,
      );
    ids.set(id, i);
  }
  return parsed.data;
}

function toData(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
}

function mistake(issues: z.core.$ZodIssue[], document: Document, lines: LineCounter, file: string): ConfigError {
  const messages = issues.map((issue) => {
    if (issue.code !== 'unrecognized_keys')
      return `${placeOf(issue.path, document, lines, file)}: ${where(issue.path)}${issue.message}${meant(issue, document)}`;
    const [key = ''] = issue.keys;
    const known = Object.keys((issue.path.length === 0 ? configSchema : ruleSchema).shape);
    const near = nearest(key, known);
    const hint = near ? `did you mean "${near}"?` : `known: ${known.join(', ')}`;
    return `${placeOf([...issue.path, key], document, lines, file)}: unknown key "${key}"; ${hint}`;
  });
  return new ConfigError(messages.join('\n'));
}

/** For a word that is none of the allowed ones: the nearest of them. */
function meant(issue: z.core.$ZodIssue, document: Document): string {
  const word = issue.code === 'invalid_value' ? document.getIn(issue.path) : undefined;
  const near = typeof word === 'string' && 'values' in issue ? nearest(word, issue.values.map(String)) : undefined;
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

function where(path: readonly PropertyKey[]): string {
  const key = path.at(-1);
  return typeof key === 'string' ? `${key}: ` : '';
}

/** The place of a path in the file; where the path itself is missing, that of what should hold it. */
function placeOf(path: readonly PropertyKey[], document: Document, lines: LineCounter, file: string): string {
  for (let n = path.length; n >= 0; n--) {
    const offset = offsetOf(path.slice(0, n) as (string | number)[], document);
    if (offset !== undefined) return place(file, lines, offset);
  }
  return place(file, lines, 0);
}

function offsetOf(path: (string | number)[], document: Document): number | undefined {
  const holder = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const pair = isMap(holder) ? holder.items.find((item) => String(item.key) === String(path.at(-1))) : undefined;
  const node = pair?.key ?? (path.length === 0 ? document.contents : document.getIn(path, true));
  return isNode(node) ? node.range?.[0] : undefined;
}

function place(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
}
