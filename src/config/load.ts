/** Reads configuration files: YAML (and JSON, which is YAML), with the position of every mistake. */
import { Document, isMap, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { readSmallFile, whyUnread } from '../util/smallFile.ts';
import { ConfigError } from './configError.ts';
import { doubleIds, type Mistake, positionOfKey, schemaMistakes, withPositions, yamlMistakes } from './mistakes.ts';
import { type Config, configSchema, defaultConfig } from './schema.ts';
import { type Surroundings, warningsOf } from './warnings.ts';

export { ConfigError };

/**
 * Without a file: the defaults, only the built-in rules.
 * @throws ConfigError with the position of every mistake.
 */
export function loadConfig(path: string | undefined): Config {
  if (path === undefined) return defaultConfig();
  let text: string;
  try {
    text = readSmallFile(path);
  } catch (error) {
    throw new ConfigError(whyUnread(path, error as Error));
  }
  return parseConfig(text, path);
}

/** @throws ConfigError with the position of every mistake. */
export function parseConfig(text: string, file: string): Config {
  return read(text, file).config;
}

/** Also returns warnings about what is allowed but most likely not meant, one line each. @throws ConfigError */
export function checkConfig(text: string, file: string, around: Surroundings): { config: Config; warnings: string[] } {
  const { config, document, lines } = read(text, file);
  return { config, warnings: withPositions(warningsOf(config, document, around), lines, file) };
}

/** What a configuration says of one of its keys, and where: `file:line`. */
export interface Said {
  readonly value: unknown;
  readonly place: string;
}

/**
 * The keys of a configuration, as its text has them. @param onMistake is told of mistakes, and the keys that have none count;
 * without it they are thrown. @throws ConfigError
 */
export function readSettings(text: string, file: string, onMistake?: (message: string) => void): Map<string, Said> {
  const { document, lines } = onMistake ? looked(text, file, onMistake) : read(text, file);
  const said = new Map<string, Said>();
  for (const [key, schema] of Object.entries(configSchema.shape)) {
    const parsed = document.has(key) ? (schema as z.ZodType).safeParse(document.toJS()[key]) : undefined;
    const { line } = lines.linePos(positionOfKey([key], document));
    if (parsed?.success) said.set(key, { value: parsed.data, place: `${file}:${line}` });
  }
  return said;
}

/** As `read`, whatever mistakes there are. */
function looked(text: string, file: string, onMistake: (message: string) => void) {
  try {
    return read(text, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    onMistake(error.message);
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    return { document: isMap(document.contents) ? document : new Document({}), lines };
  }
}

function read(text: string, file: string): { config: Config; document: Document; lines: LineCounter } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (mistakes: readonly Mistake[]) => {
    if (mistakes.length > 0) throw new ConfigError(withPositions(mistakes, lines, file).join('\n'));
  };
  refuse(yamlMistakes(document));
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError(`${file}:1:1: ${(error as Error).message}`);
  }
  const parsed = configSchema.safeParse(data ?? {});
  refuse([...(parsed.success ? [] : schemaMistakes(parsed.error.issues, document)), ...doubleIds(document)]);
  if (!parsed.success) throw new ConfigError(`${file}:1:1: it can't be understood`);
  return { config: parsed.data, document, lines };
}
