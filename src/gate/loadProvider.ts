/** Makes a provider of OpenFeature from a module that the operator names: an installed package, or a file. */
import { createRequire } from 'node:module';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Provider } from '@openfeature/server-sdk';
import { distrust } from '../util/trust.ts';
import { isObject } from './json.ts';

export interface ProviderModule {
  /** A package's name, an absolute path, or one that begins with a dot. */
  readonly module: string;
  /** Given to the class or the function that makes the provider. */
  readonly options?: unknown;
  /** The directory in which packages and relative paths are looked for first; then packages are where taut is. */
  readonly from: string;
}

/** @throws Error when there is no such module, a stranger could have written it, or it makes no provider. */
export async function loadProvider({ module, options, from }: ProviderModule): Promise<Provider> {
  const path = pathOf(module, from);
  const problem = distrust(dirname(path), basename(path));
  if (problem !== undefined) throw new Error(`the flag provider ${module} is not loaded: ${problem}`);
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new Error(`the flag provider ${path} can't be loaded: ${(error as Error).message}`);
  }
  const found = candidates(exported);
  const made = found === undefined ? undefined : await make(found, options, path);
  if (isProvider(made)) return usable(made, path);
  throw new Error(
    `${path} has no flag provider: it is its default export, the export "provider", or the only one whose name ends with Provider; a provider of OpenFeature, a class, or a function that makes one`,
  );
}

function pathOf(module: string, from: string): string {
  if (module.startsWith('file:')) return fileURLToPath(module);
  if (isAbsolute(module) || /^\.\.?\//.test(module)) return resolve(from, module);
  const errors: string[] = [];
  for (const base of [join(from, 'taut'), import.meta.filename]) {
    try {
      return createRequire(base).resolve(module);
    } catch (error) {
      errors.push((error as Error).message.split('\n')[0] ?? '');
    }
  }
  throw new Error(
    `there is no flag provider ${module} for ${from} (${errors[0]}); install it there, or name its file: ./${module}`,
  );
}

/** What a module exports as its provider. What a CommonJS module exports is its default as well. */
function candidates(exported: unknown): unknown {
  const all = exports(exported);
  if (all['provider'] !== undefined) return all['provider'];
  const inner = exports(all['default']);
  if (inner['provider'] !== undefined) return inner['provider'];
  if (isProvider(all['default']) || typeof all['default'] === 'function') return all['default'];
  if (isProvider(inner['default']) || typeof inner['default'] === 'function') return inner['default'];
  const named = new Set(
    Object.entries({ ...inner, ...all }).flatMap(([name, value]) => (/Provider$/.test(name) ? [value] : [])),
  );
  return named.size === 1 ? [...named][0] : undefined;
}

function exports(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

async function make(found: unknown, options: unknown, path: string): Promise<unknown> {
  if (typeof found !== 'function') {
    if (options !== undefined) throw new Error(`${path} exports a provider that is made already, and takes no options`);
    return found;
  }
  const given = options === undefined ? [] : [options];
  try {
    if (isProvider(found.prototype)) return Reflect.construct(found, given);
    return await Reflect.apply(found, undefined, given);
  } catch (error) {
    throw new Error(`the flag provider ${path} can't be made: ${(error as Error).message}`);
  }
}

/** @throws Error for a provider that OpenFeature would not take, or that answers for one context only. */
function usable(provider: Provider, path: string): Provider {
  const { metadata, runsOn } = provider;
  if (typeof metadata?.name !== 'string') throw new Error(`the flag provider of ${path} has no name (metadata.name)`);
  if (runsOn !== undefined && runsOn !== 'server')
    throw new Error(
      `the flag provider ${metadata.name} of ${path} is made for one user at a time (it runs on the ${runsOn}), and taut asks about many agents: use the same service's provider for servers`,
    );
  return provider;
}

function isProvider(value: unknown): value is Provider {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Partial<Provider>).resolveBooleanEvaluation === 'function'
  );
}
