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
  readonly text: string;
}

/** @throws TelemetryConfigError */
export function readConfigFile(file: string): ConfigFile {
  const { model, text } = parsed(file);
  const variables: Record<string, string> = {};
  const places = new Map<string, string>();
  const say = (variable: string, value: string, place: string) => {
    variables[variable] = value;
    places.set(variable, place);
  };
  try {
    SHAPE(model, '', say);
    return { variables, places, resource: resourceOf(model), text };
  } catch (error) {
    if (!(error instanceof TelemetryConfigError)) throw error;
    throw new TelemetryConfigError(error.mistakes.map((m) => ({ ...m, variable: `${file}: ${m.variable}` })));
  }
}

function parsed(file: string): { model: ConfigurationModel; text: string } {
  try {
    const text = readSmallFile(file);
    // The package takes what the YAML parser can make of a broken file.
    const [error] = parseDocument(text).errors;
    if (error) throw new Error(error.message.split(/:?\n/)[0]);
    return { model: parseConfigFile(file), text };
  } catch (error) {
    const why = (error as Error).message.replaceAll(`${file}: `, '').replaceAll(/\s*\n\s*/g, ' ');
    return wrong('OTEL_CONFIG_FILE', file, why);
  }
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
