/** What telemetry goes by in the end: the variables, or the configuration file that stands instead of them. */
import type { Attributes } from '@opentelemetry/api';
import { checkEnvironment } from './check.ts';
import { isDisabled } from './destination.ts';
import { namesIn, withoutEffect } from './misspelt.ts';
import { attributesOf } from './pairs.ts';
import { type Env, read, TelemetryConfigError } from './values.ts';

/** Beside a configuration file. `taut run` starts its command before it would have read one, and hands a trace on by its variable. */
const STILL_COUNT: readonly string[] = ['OTEL_CONFIG_FILE', 'OTEL_PROPAGATORS'];

export interface Settled {
  /** The variables, or those that say what the file says. */
  readonly env: Env;
  /** Attributes of the resource that somebody has given. */
  readonly resource: Attributes;
  /** Sentences about what has no effect. */
  readonly warnings: readonly string[];
}

/** @throws TelemetryConfigError */
export async function settle(env: Env): Promise<Settled> {
  const file = read(env, 'OTEL_CONFIG_FILE');
  if (file !== undefined) return fromFile(file, env);
  checkEnvironment(env);
  if (isDisabled(env)) return { env: { OTEL_SDK_DISABLED: 'true' }, resource: {}, warnings: [] };
  return { env, resource: attributesOf(env, 'OTEL_RESOURCE_ATTRIBUTES'), warnings: withoutEffect(env) };
}

async function fromFile(file: string, env: Env): Promise<Settled> {
  // The parser is large, and hardly anybody has such a file.
  const { readConfigFile } = await import('./configFile.ts');
  const { variables, places, resource, warnings, text } = readConfigFile(file);
  try {
    checkEnvironment(variables);
  } catch (error) {
    if (!(error instanceof TelemetryConfigError)) throw error;
    const mistakes = error.mistakes.map((m) => ({
      ...m,
      variable: `${file}: ${places.get(m.variable) ?? m.variable}`,
    }));
    throw new TelemetryConfigError(mistakes);
  }
  const ignored = namesIn(env).filter((name) => !STILL_COUNT.includes(name) && !text.includes(name));
  const ofFile = withoutEffect(variables).map((said) =>
    said.replace(/^OTEL_\w+/, (name) => `${file}: ${places.get(name) ?? name}`),
  );
  const warning = `OTEL_CONFIG_FILE stands instead of ${ignored.join(', ')}, which have no effect`;
  return { env: variables, resource, warnings: [...(ignored.length > 0 ? [warning] : []), ...warnings, ...ofFile] };
}
