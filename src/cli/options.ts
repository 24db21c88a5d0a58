/** Options that several commands share, and their defaults. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DESCENDANTS } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { PROFILE } from '../actuator/profiles.ts';
import { createLog, LOG_LEVELS, type Log } from '../util/log.ts';
import { type CommonOptions, DEFAULTS } from './given.ts';
import { printError } from './output.ts';
import { defaultStateDir, stateDirProblem } from './stateDir.ts';

export function withCommon(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--state-dir <dir>',
        'where taut keeps the record of what it changed, its control socket and telemetry files',
      )
        .env('TAUT_STATE_DIR')
        .default(defaultStateDir())
        .argParser(stateDir),
    )
    .addOption(
      new Option('--log-level <level>', 'what to say on standard error').choices(LOG_LEVELS).default(DEFAULTS.logLevel),
    );
}

function stateDir(text: string): string {
  const problem = stateDirProblem(text);
  if (problem) throw new InvalidArgumentError(problem);
  return resolve(text);
}

export function withConfig(command: Command): Command {
  return command.option('--config <file>', 'YAML or JSON: your own rules beside the built-in ones');
}

export function withJson(command: Command, what: string): Command {
  return command.option('--json', `print ${what} as JSON on standard output`);
}

export function withGuard(command: Command): Command {
  return command.option(
    '--no-guard',
    'start no process that puts everything back should taut be killed: where a service manager runs taut restore then',
  );
}

export function withTuning(command: Command): Command {
  for (const knob of KNOBS) command.addOption(knobOption(knob));
  command.addOption(profileOption());
  return withGuard(command)
    .addOption(
      new Option(
        '--descendants <how>',
        "what a tuned agent's child processes get that no rule names: contain, what the agent had before; inherit, what it has now; tune, the same, as agents",
      )
        .choices(DESCENDANTS)
        .default(DEFAULTS.descendants),
    )
    .option('--observe-only', 'change nothing, whatever flags and other options say')
    .addOption(
      new Option(
        '--max-overhead <percent>',
        'record less when measuring uses more than so many percent of a core in the kernel',
      ).argParser(percent),
    )
    .addOption(
      new Option(
        '--spool-limit <size>',
        'how much telemetry may wait on disk for a backend that does not take it now; 0: none',
      )
        .argParser(size)
        .default(DEFAULTS.spoolLimit, '64M'),
    )
    .option(
      '--flags <file>',
      'a feature flag file in flagd format decides which agents are tuned; read again when it changes',
    )
    .addOption(
      new Option(
        '--flag-provider <module>',
        'a provider of OpenFeature decides: an installed package, or a file like ./provider.js',
      ).conflicts('flags'),
    )
    .addOption(
      new Option(
        '--flag-provider-options <json>',
        'what the provider is made with: JSON, or a file that has it',
      ).argParser(jsonOrFile),
    )
    .addOption(
      new Option(
        '--flag-poll <time>',
        'ask a provider so often that does not tell of changes: 5s, unless given',
      ).argParser(milliseconds),
    )
    .addOption(
      new Option(
        '--flag-last-known <time>',
        'agents keep what was decided last for so long when the provider or the flag file gives no answer: 10m, unless given',
      ).argParser(milliseconds),
    );
}

function jsonOrFile(text: string): unknown {
  try {
    return JSON.parse(/^\s*[[{]/.test(text) ? text : readFileSync(text, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** The longest time that a timer of Node takes, about 24 days. */
const MAX_MS = 2 ** 31 - 1;

function milliseconds(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  const ms = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0;
  if (ms < 1 || ms > MAX_MS)
    throw new InvalidArgumentError('a time is a whole number with s, m, h or d, like 10m, up to 24d');
  return ms;
}

/** What a parser of values refuses is a wrong argument. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function profileOption(): Option {
  return new Option(
    `--${PROFILE.option} [profile]`,
    `set what this host can do: responsive, what is felt beside a build; timers; or all; without a value: ${PROFILE.defaultTarget}`,
  )
    .preset(PROFILE.defaultTarget)
    .argParser(argument(PROFILE.parse));
}

/** The option of a knob, like `--optimize-timer-slack[=VALUE]`. `off`: a profile leaves it out. */
function knobOption(knob: Knob): Option {
  const parse = argument((text) => (text === 'off' ? text : knob.parse(text)));
  const alone = knob.format(knob.defaultTarget);
  return new Option(`--${knob.option} [value]`, `${knob.help}; without a value: ${alone}`)
    .preset(String(knob.defaultTarget))
    .argParser(parse);
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text === '' || !(value > 0 && value <= 100_000))
    throw new InvalidArgumentError('a percentage of one core is wanted: more than 0');
  return value / 100;
}

const BYTES = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 } as const;

/** Bytes, like `64M`. */
function size(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * BYTES[unit.toUpperCase() as keyof typeof BYTES];
  if (digits === undefined || !Number.isSafeInteger(bytes))
    throw new InvalidArgumentError('a number of bytes is wanted, with K, M or G if you like: 64M');
  return bytes;
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
