/** Mistakes of a document, each with its position and a suggestion. Pure. */
import { type Document, isAlias, isMap, isNode, isSeq, type LineCounter, visit } from 'yaml';
import type { z } from 'zod';
import { guardrailSchema, ofAgent } from './guardrail.ts';
import { nearest } from './nearest.ts';
import { configSchema, exceptSchema, ruleSchema } from './schema.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

export interface Mistake {
  /** Offset in the text, in UTF-16 units. */
  readonly offset: number;
  readonly message: string;
}

/** Errors of YAML itself, also aliases without an anchor. */
export function yamlMistakes(document: Document): Mistake[] {
  const mistakes = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    offset: pos[0],
    message: code === 'MULTIPLE_DOCS' ? 'here another document begins; a configuration is one, without "---"' : message,
  }));
  visit(document, (_, node) => {
    if (!isAlias(node) || node.resolve(document)) return;
    mistakes.push({
      offset: node.range?.[0] ?? 0,
      message: `there is no anchor &${node.source} before *${node.source}`,
    });
  });
  return mistakes;
}

/** The issues of the schema, in words for the author of the document. */
export function schemaMistakes(issues: readonly Issue[], document: Document): Mistake[] {
  return issues.flatMap(flat).flatMap((issue) => describe(issue, document));
}

/** Rules whose id an earlier rule has. */
export function doubleIds(document: Document): Mistake[] {
  const rules = document.get('rules');
  const first = new Map<string, number>();
  const all = isSeq(rules) ? rules.items : [];
  return all.flatMap((_, i) => {
    const id = document.getIn(['rules', i, 'id']);
    if (typeof id !== 'string') return [];
    const before = first.get(id);
    first.set(id, before ?? i);
    if (before === undefined) return [];
    return [
      {
        offset: positionOfValue(['rules', i, 'id'], document),
        message: `rule ${before + 1} has the id "${id}" already`,
      },
    ];
  });
}

/** The mistakes as `file:line:column: message`, in the order of the text. */
export function withPositions(mistakes: readonly Mistake[], lines: LineCounter, file: string): string[] {
  const sorted = mistakes.toSorted((a, b) => a.offset - b.offset);
  const texts = sorted.map(({ offset, message }) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}: ${message}`;
  });
  return [...new Set(texts)];
}

/** Where the schema allows a value or a list: the issues of the form that the author used. */
function flat(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isAnotherKind = ({ code, path }: Issue) => code === 'invalid_type' && path.length === 0;
  const branch = issue.errors.find((issues) => !issues.some(isAnotherKind)) ?? issue.errors[0] ?? [];
  return branch.flatMap((inner) => flat({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describe(issue: Issue, document: Document): Mistake[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      offset: positionOfKey([...issue.path, key], document),
      message: unknownKey(key, issue.path),
    }));
  const offset = positionOfValue(issue.path, document);
  const key = issue.path.findLast((part) => typeof part === 'string');
  const where = key === undefined ? '' : `${String(key)}: `;
  if (issue.path.length > 0 && !document.hasIn(issue.path))
    return [
      {
        offset,
        message: `${where}is missing${issue.path.length === 1 && key === 'version' ? '; write version: 1' : ''}`,
      },
    ];
  const value = document.getIn(issue.path);
  if (issue.code === 'invalid_value' && issue.values.some((one) => one !== value && String(one) === value))
    return [{ offset, message: `${where}"${value}" is a text here; write ${value} without quotes` }];
  const meant = suggestion(issue, value);
  return [{ offset, message: `${where}${issue.message}${meant === undefined ? '' : `; did you mean ${meant}?`}` }];
}

function unknownKey(key: string, path: Path): string {
  const known = Object.keys(shapeAt(path));
  const near = nearest(key, known);
  return `unknown key "${key}"; ${near ? `did you mean "${near}"?` : `known: ${known.join(', ')}`}`;
}

function shapeAt(path: Path): object {
  if (path.length === 0) return configSchema.shape;
  if (path.at(-1) === 'guardrail') return path.length === 1 ? guardrailSchema.shape : ofAgent;
  return (path.at(-1) === 'not' ? exceptSchema : ruleSchema).shape;
}

const BOOLEANS = new Map([
  ['yes', true],
  ['on', true],
  ['no', false],
  ['off', false],
]);

function suggestion(issue: Issue, value: unknown): string | undefined {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const near = nearest(value, issue.values.map(String));
    return near && JSON.stringify(near);
  }
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'array' && typeof value === 'string') return JSON.stringify([value]);
  if (issue.expected === 'array' && isMap(value)) return 'a list, with "- " before it';
  if (issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) return `"${value}"`;
  if (issue.expected !== 'boolean' || typeof value !== 'string') return undefined;
  const near = nearest(value, ['true', 'false']);
  return near ?? BOOLEANS.get(value.toLowerCase())?.toString();
}

/** The position of a key in the text; when the key is missing, the position of the part that should hold it. */
export function positionOfKey(path: Path, document: Document): number {
  return positionOf(path, document, 'key');
}

/** The position of the value at a path; when it is missing, the position of the part that should hold it. */
export function positionOfValue(path: Path, document: Document): number {
  return positionOf(path, document, 'value');
}

function positionOf(path: Path, document: Document, of: 'key' | 'value'): number {
  for (let n = path.length; n >= 0; n--) {
    const offset = offsetOf(path.slice(0, n), document, of);
    if (offset !== undefined) return offset;
  }
  return 0;
}

function offsetOf(path: Path, document: Document, of: 'key' | 'value'): number | undefined {
  const holder = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const pair = isMap(holder) ? holder.items.find((item) => String(item.key) === String(path.at(-1))) : undefined;
  const key = of === 'key' ? pair?.key : undefined;
  const node = key ?? (path.length === 0 ? document.contents : document.getIn(path, true));
  return isNode(node) ? node.range?.[0] : undefined;
}
