/** What is in force of each setting, and where that is from: an option, a variable, the configuration, or nobody. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { nearest } from '../config/nearest.ts';
import { CONFIG_VARIABLE, HOST_CONFIG, SETTING_BY_KEY, SETTINGS, type Setting } from '../config/settings.ts';
import { readOnce, readSmallFile, whyUnread } from '../util/smallFile.ts';
import { distrust } from '../util/trust.ts';
import { isDenied } from './access.ts';
import { CliError, EXIT } from './exit.ts';
import { printError } from './output.ts';
import { stateDirProblem } from './stateDir.ts';

/** In the order of authority. */
export type Source = 'option' | 'variable' | 'file' | 'default';

export interface Origin {
  readonly source: Source;
  /** `--flags`, `TAUT_FLAGS`, `/etc/taut/taut.yaml:3`; empty for a default. */
  readonly place: string;
}

/** By the setting's key; also of `config`, and of the keys of a configuration that are no settings. */
export type Origins = ReadonlyMap<string, Origin>;

/** What a configuration says of one key. */
interface Said {
  readonly value: unknown;
  readonly place: string;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The configuration that counts where none is named. Default: that of the host. */
  readonly hostConfig?: string;
  readonly uid?: number;
}

/** Commands that need no rules, and do their work also where the configuration has a mistake: to put back, above all. */
const LENIENT: readonly string[] = ['status', 'restore', 'off', 'on', 'doctor', 'demo'];

/**
 * Gives a command that was parsed the settings that the environment and the configuration say, and `origins`. Those of the command
 * line come first, then those of variables. @throws CliError or ConfigError for a value that can't be meant, with its place.
 */
export async function settle(command: Command, around: Surroundings): Promise<void> {
  const settings = command.options.flatMap((option) => SETTING_BY_KEY.get(option.attributeName()) ?? []);
  if (settings.length === 0) return;
  const origins = new Map<string, Origin>();
  const file = configOf(command, around, origins);
  const said = file === undefined ? new Map<string, Said>() : await saidIn(file, command, origins, around);
  for (const setting of settings) {
    const { option, key, variable } = setting;
    const text = around.env[variable];
    const inFile = said.get(key);
    if (command.getOptionValueSource(key) === 'cli') origins.set(key, { source: 'option', place: `--${option}` });
    else if (text !== undefined) {
      command.setOptionValueWithSource(key, ofVariable(setting, text), 'env');
      origins.set(key, { source: 'variable', place: variable });
    } else if (inFile && file !== undefined) {
      command.setOptionValueWithSource(key, ofFile(setting, inFile, file), 'config');
      origins.set(key, { source: 'file', place: inFile.place });
    } else origins.set(key, { source: 'default', place: '' });
  }
  oneKindOfFlags(command, origins);
  for (const line of unknownVariables(around.env)) sayMistake(line);
  command.setOptionValueWithSource('origins', origins, 'config');
}

/** A misspelt variable would go unnoticed, where an option would be refused. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = [...SETTINGS.map(({ variable }) => variable), CONFIG_VARIABLE];
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('TAUT_') || known.includes(name) || NO_SETTINGS.includes(name)) return [];
    const near = nearest(
      name.slice('TAUT_'.length),
      known.map((one) => one.slice('TAUT_'.length)),
    );
    return near ? [`there is no variable ${name}; did you mean TAUT_${near}?`] : [];
  });
}

/** For who builds and tests taut. */
const NO_SETTINGS: readonly string[] = ['TAUT_WITHOUT', 'TAUT_HOST_LOCK', 'TAUT_DEBUG', 'TAUT_FAULT'];

/** The configuration that counts, if there is one. */
function configOf(command: Command, { env, hostConfig = HOST_CONFIG }: Surroundings, origins: Map<string, Origin>) {
  if (command.getOptionValueSource('config') === 'cli') {
    origins.set('config', { source: 'option', place: '--config' });
    return command.opts<{ config: string }>().config;
  }
  const named = env[CONFIG_VARIABLE];
  if (named === '') throw new CliError(`${CONFIG_VARIABLE}: it is empty: name a file, or leave it out`, EXIT.usage);
  const file = named ?? (existsSync(hostConfig) ? hostConfig : undefined);
  origins.set(
    'config',
    named === undefined ? { source: 'default', place: '' } : { source: 'variable', place: CONFIG_VARIABLE },
  );
  if (file !== undefined) command.setOptionValueWithSource('config', file, 'config');
  return file;
}

async function saidIn(file: string, command: Command, origins: Map<string, Origin>, around: Surroundings) {
  const isHosts = origins.get('config')?.source === 'default';
  const onMistake = LENIENT.includes(command.name()) ? sayMistake : undefined;
  const text = textOf(file, isHosts, onMistake);
  if (text === undefined) {
    command.setOptionValueWithSource('config', undefined, 'config');
    return new Map<string, Said>();
  }
  const { readSettings } = await import('../config/load.ts');
  const said = readSettings(text, file, onMistake);
  for (const [key, { place }] of said) if (!SETTING_BY_KEY.has(key)) origins.set(key, { source: 'file', place });
  // Nobody but root can use root's state directory.
  if (isHosts && (around.uid ?? process.getuid?.()) !== 0) said.delete('stateDir');
  return said;
}

function sayMistake(message: string): void {
  for (const line of message.split('\n')) printError(`taut: warn: ${line}`);
}

/** Undefined where taut goes on without it: nobody named it and this user may not read it, or the command is lenient. */
function textOf(file: string, isHosts: boolean, onMistake?: (message: string) => void): string | undefined {
  try {
    const problem = isHosts ? distrust(dirname(file), basename(file)) : undefined;
    if (problem !== undefined) throw new CliError(`${file} does not count: ${problem}`, EXIT.usage);
    return readSmallFile(file);
  } catch (error) {
    const said = error instanceof CliError ? error.message : whyUnread(file, error as Error);
    if (!onMistake && !(isHosts && isDenied(error))) throw new CliError(said, EXIT.usage);
    sayMistake(said);
    return undefined;
  }
}

function ofVariable(setting: Setting, text: string): unknown {
  try {
    return checked(setting, setting.parse(text));
  } catch (error) {
    throw new CliError(`${setting.variable}: ${(error as Error).message}`, EXIT.usage);
  }
}

/** A path is relative to the configuration that has it. */
function ofFile(setting: Setting, { value, place }: Said, file: string): unknown {
  try {
    return checked(
      setting,
      typeof value === 'string' && isPath(setting, value) ? resolve(dirname(file), value) : value,
    );
  } catch (error) {
    throw new CliError(`${place}: ${setting.key}: ${(error as Error).message}`, EXIT.usage);
  }
}

function isPath({ kind }: Setting, text: string): boolean {
  if (kind === 'file') return !/^[~$]/.test(text); // which is refused
  if (kind === 'module') return /^\.\.?\//.test(text);
  return kind === 'json' && !JSON_TEXT.test(text);
}

/** Not the path of a file. */
const JSON_TEXT = /^\s*[[{]/;

/** What a value comes to where it is used; the file system is looked at. @throws Error with the reason. */
export function checked({ key }: Setting, value: unknown): unknown {
  if (key === 'flagProviderOptions' && typeof value === 'string')
    return JSON.parse(JSON_TEXT.test(value) ? value : readOnce(value));
  if (key !== 'stateDir') return value;
  const problem = stateDirProblem(String(value));
  if (problem !== undefined) throw new RangeError(problem);
  return resolve(String(value));
}

const RANKS: readonly Source[] = ['option', 'variable', 'file', 'default'];

/** A flag file and a provider of flags exclude each other: the one with more authority counts. */
function oneKindOfFlags(command: Command, origins: Map<string, Origin>): void {
  const [flags, provider] = [origins.get('flags'), origins.get('flagProvider')];
  if (!flags || !provider || flags.source === 'default' || provider.source === 'default') return;
  const more = RANKS.indexOf(flags.source) - RANKS.indexOf(provider.source);
  if (more === 0)
    throw new CliError(`${flags.place} and ${provider.place} exclude each other: one of them decides`, EXIT.usage);
  const less = more < 0 ? 'flagProvider' : 'flags';
  command.setOptionValueWithSource(less, undefined, 'config');
  origins.set(less, { source: 'default', place: '' });
}
