/** Configuration files: YAML (and JSON, which is YAML), with the place of every mistake. */
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { doubleIds, type Mistake, placed, schemaMistakes, yamlMistakes } from './mistakes.ts';
import { type Config, configSchema } from './schema.ts';

/** `file:line:column: what; what to do`, a line for each mistake. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** The defaults when there is no file: the built-in rules alone. @throws ConfigError naming the place of every mistake. */
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

/** @throws ConfigError naming the place of every mistake. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (mistakes: readonly Mistake[]) => {
    if (mistakes.length > 0) throw new ConfigError(placed(mistakes, lines, file));
  };
  refuse(yamlMistakes(document));
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError(`${file}:1:1: ${(error as Error).message}`);
  }
  const parsed = configSchema.safeParse(data ?? {});
  if (parsed.success) {
    refuse(doubleIds(document));
    return parsed.data;
  }
  throw new ConfigError(
    placed([...schemaMistakes(parsed.error.issues, document), ...doubleIds(document)], lines, file),
  );
}
