/**
 * OpenTelemetry's declarative configuration. OpenTelemetry's own package reads and validates the file; what it says is
 * then said by variables, so that a file and variables can't mean different things. What no variable of taut says stops
 * the start with its place.
 */
import type { Attributes } from '@opentelemetry/api';
import { type ConfigurationModel, parseConfigFile } from '@opentelemetry/configuration';
import { parseDocument } from 'yaml';
import { readSmallFile } from '../../src/util/smallFile.ts';
import { SHAPE } from './configShape.ts';
import { attributesOf } from './pairs.ts';
import { TelemetryConfigError, wrong } from './values.ts';

export interface ConfigFile {
  /** What the file says, as variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where in the file each variable is from. */
  readonly places: ReadonlyMap<string, string>;
  readonly resource: Attributes;
  /** Sentences about what has no effect. */
  readonly warnings: readonly string[];
  readonly text: string;
}

/** @throws TelemetryConfigError */
export function readConfigFile(file: string): ConfigFile {
  const variables: Record<string, string> = {};
  const places = new Map<string, string>();
  const say = (variable: string, value: string, place: string) => {
    variables[variable] = value;
    places.set(variable, place);
  };
  const { model, text } = parsed(file);
  inFile(file, () => SHAPE(model, '', say));
  return {
    variables,
    places,
    resource: inFile(file, () => resourceOf(model)),
    warnings: warningsOf(file, model),
    text,
  };
}

function parsed(file: string): { model: ConfigurationModel; text: string } {
  let text: string;
  try {
    text = readSmallFile(file);
  } catch (error) {
    return wrong('OTEL_CONFIG_FILE', file, (error as Error).message.replaceAll(file, 'it'));
  }
  const document = parseDocument(text);
  try {
    // The package takes what the YAML parser can make of a broken file.
    const [error] = document.errors;
    if (error) throw new Error(error.message.split(/:?\n/)[0]);
    return { model: parseConfigFile(file), text };
  } catch (error) {
    const why = (error as Error).message.replaceAll(`${file}: `, '').replaceAll(/\s*\n\s*/g, ' ');
    if (why.includes('additional properties')) nameUnknown(file, document);
    return wrong('OTEL_CONFIG_FILE', file, why);
  }
}

/** The package tells which mapping has a key that is not known, and not which key. @throws TelemetryConfigError if it finds one. */
function nameUnknown(file: string, document: Pick<ReturnType<typeof parseDocument>, 'toJS'>): void {
  try {
    const { file_format: _, ...model } = document.toJS() as Readonly<Record<string, unknown>>;
    inFile(file, () => SHAPE(model, '', () => {}));
  } catch (error) {
    // Anything else is because the package has found more than unknown keys.
    if (error instanceof TelemetryConfigError) throw error;
  }
}

/** @throws TelemetryConfigError with the file before each place. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TelemetryConfigError)) throw error;
    throw new TelemetryConfigError(error.mistakes.map((m) => ({ ...m, variable: `${file}: ${m.variable}` })));
  }
}

function warningsOf(file: string, { resource }: ConfigurationModel): string[] {
  if (!resource?.['detection/development']) return [];
  const found = 'taut finds host, system and container by itself, and tells nothing of its process';
  return [`${file}: resource.detection/development has no effect: ${found}`];
}

/** Attributes may be more than texts, so no variable says them. */
function resourceOf({ resource }: ConfigurationModel): Attributes {
  const list = resource?.attributes_list ?? undefined;
  const place = 'resource.attributes_list';
  const single = (resource?.attributes ?? []).filter(({ value }) => value !== null);
  return {
    ...(list === undefined ? {} : attributesOf({ [place]: list }, place)),
    ...Object.fromEntries(single.map(({ name, value }) => [name, value ?? ''])),
  };
}
