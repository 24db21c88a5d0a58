/** Options that several commands share: those of settings, made from their table, and what only a command line says. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { HOST_CONFIG, SETTINGS, type Setting } from '../config/settings.ts';
import { createLog, type Log } from '../util/log.ts';
import type { CommonOptions } from './given.ts';
import { printError } from './output.ts';
import { checked } from './settled.ts';
import { defaultStateDir } from './stateDir.ts';

export function withCommon(command: Command): Command {
  command.option(
    '--config <file>',
    `YAML or JSON: settings, and your own rules beside the built-in ones; ${HOST_CONFIG} where that is and no other is named`,
  );
  return withSettings(command, 'all');
}

export function withJson(command: Command, what: string): Command {
  return command.option('--json', `print ${what} as JSON on standard output`);
}

export function withGuard(command: Command): Command {
  return withSettings(command, 'guarded');
}

export function withTuning(command: Command): Command {
  return withSettings(withGuard(command), 'tuning');
}

/** One setting alone, of a command that needs no other. */
export function withSetting(command: Command, key: string): Command {
  for (const setting of SETTINGS.filter((one) => one.key === key)) command.addOption(optionOf(setting));
  return command;
}

function withSettings(command: Command, of: Setting['of']): Command {
  for (const setting of SETTINGS.filter((one) => one.of === of)) command.addOption(optionOf(setting));
  return command;
}

function optionOf(setting: Setting): Option {
  const { option: name, key, kind, value, help, choices, preset, otherwise } = setting;
  const option = new Option(value === undefined ? `--${name}` : `--${name} ${value}`, help);
  if (choices) option.choices(choices);
  else if (kind !== 'switch') option.argParser(argument((text) => checked(setting, setting.parse(text))));
  if (preset !== undefined) option.preset(preset);
  const fallback = key === 'stateDir' ? defaultStateDir() : setting.fallback;
  if (fallback !== undefined && kind !== 'switch')
    option.default(fallback, fallback === otherwise || key === 'stateDir' ? undefined : otherwise);
  return option;
}

/** What a parser of values refuses is a wrong argument. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

export function logFor(options: CommonOptions): Log {
  return createLog(options.logLevel, printError);
}

/** The largest process id of any Linux: the kernel's PID_MAX_LIMIT. */
const MAX_PID = 4_194_304;

/** Parses a process id from the command line. */
export function pid(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a process id is a whole number from 1');
  if (Number(text) > MAX_PID)
    throw new InvalidArgumentError(`no process can have this id: the largest that Linux gives is ${MAX_PID}`);
  return Number(text);
}
