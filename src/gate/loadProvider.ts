/** Makes a provider of OpenFeature from a module that the operator names: an installed package, or a file. */
import { createRequire, registerHooks } from 'node:module';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Provider } from '@openfeature/server-sdk';
import { distrust } from '../util/trust.ts';
import { messageOf } from './answer.ts';
import { isObject } from './json.ts';

export interface ProviderModule {
  /** A package's name, an absolute path, or one that begins with a dot. */
  readonly module: string;
  /** Given to the class or the function that makes the provider. */
  readonly options?: unknown;
  /** The directory in which packages and relative paths are looked for first; then packages are where taut is. */
  readonly from: string;
  /** For so long is its module waited for, milliseconds. Default: ten seconds. */
  readonly withinMs?: number;
}

const LOAD_MS = 10_000;

/** @throws Error when there is no such module, a stranger could have written it, or it makes no provider in time. */
export async function loadProvider({ module, options, from, withinMs = LOAD_MS }: ProviderModule): Promise<Provider> {
  const path = pathOf(module, from);
  const problem = distrust(dirname(path), basename(path));
  if (problem !== undefined) throw new Error(`the flag provider ${module} is not loaded: ${problem}`);
  const late = new AbortController();
  // It keeps taut alive: Node ends a program that waits for what nothing will bring.
  const silence = wait(withinMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(
      `the flag provider ${path} is not there after ${withinMs / 1_000} s: what it waits for does not come`,
    );
  });
  try {
    return await Promise.race([load(path, options), silence]);
  } finally {
    late.abort();
  }
}

async function load(path: string, options: unknown): Promise<Provider> {
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new Error(`the flag provider ${path} can't be loaded: ${messageOf(error)}`);
  }
  const given = await candidate(exported, path);
  const made = given === undefined ? undefined : await make(given, options, path);
  if (isProvider(made)) return usable(made, path);
  throw new Error(
    `${path} has no flag provider: it is its default export, the export "provider", or the only one whose name ends with Provider; a provider of OpenFeature, a promise of one, a class, or a function that makes one`,
  );
}

function pathOf(module: string, from: string): string {
  if (module.startsWith('file:')) return fileURLToPath(module);
  if (isAbsolute(module) || /^\.\.?\//.test(module)) return resolve(from, module);
  const errors: string[] = [];
  for (const base of [join(from, 'taut'), import.meta.filename]) {
    try {
      return found(module, base);
    } catch (error) {
      errors.push((error as Error).message.split('\n')[0] ?? '');
    }
  }
  throw new Error(
    `there is no flag provider ${module} for ${from} (${errors[0]}); install it there, or name its file: ./${module}`,
  );
}

/** Where `require` finds it or, as a package may be for `import` alone, where that does. @throws Error when neither does. */
function found(module: string, base: string): string {
  const { resolve: find } = createRequire(base);
  try {
    return find(module);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
  }
  // `import.meta.resolve` knows no other place to begin at than this file.
  const conditions = ['node', 'import'];
  const hooks = registerHooks({ resolve: (name, context, next) => next(name, { ...context, conditions }) });
  try {
    return find(module);
  } finally {
    hooks.deregister();
  }
}

async function candidate(exported: unknown, path: string): Promise<unknown> {
  try {
    return await candidates(exported);
  } catch (error) {
    throw new Error(`the flag provider ${path} can't be made: ${messageOf(error)}`);
  }
}

/** What a module exports as its provider, or a promise of it. What a CommonJS module exports is its default as well. */
function candidates(exported: unknown): unknown {
  const all = exports(exported);
  if (all['provider'] !== undefined) return all['provider'];
  const inner = exports(all['default']);
  if (inner['provider'] !== undefined) return inner['provider'];
  if (isGiven(all['default'])) return all['default'];
  if (isGiven(inner['default'])) return inner['default'];
  const named = new Set(
    Object.entries({ ...inner, ...all }).flatMap(([name, value]) => (/Provider$/.test(name) ? [value] : [])),
  );
  return named.size === 1 ? [...named][0] : undefined;
}

function isGiven(value: unknown): boolean {
  return isProvider(value) || value instanceof Promise || typeof value === 'function';
}

function exports(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

async function make(given: unknown, options: unknown, path: string): Promise<unknown> {
  if (typeof given !== 'function') {
    if (options !== undefined) throw new Error(`${path} exports a provider that is made already, and takes no options`);
    return given;
  }
  const args = options === undefined ? [] : [options];
  try {
    if (isProvider(given.prototype)) return Reflect.construct(given, args);
    return await Reflect.apply(given, undefined, args);
  } catch (error) {
    throw new Error(`the flag provider ${path} can't be made: ${messageOf(error)}`);
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
