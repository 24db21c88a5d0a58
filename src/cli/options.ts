/** Options that several commands share, and their defaults. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DESCENDANTS, type Descendants } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import { KNOBS } from '../actuator/knobs.ts';
import type { Targets } from '../gate/gate.ts';
import { createLog, LOG_LEVELS, type Log, type LogLevel } from '../log.ts';
import { printError } from './output.ts';

export interface CommonOptions {
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
  readonly config?: string;
}

export interface TuneOptions extends CommonOptions {
  readonly flags?: string;
  readonly descendants: Descendants;
  readonly observeOnly?: boolean;
  /** CPU seconds per second. */
  readonly maxOverhead?: number;
}

/** /var/lib/taut for root; $XDG_STATE_HOME/taut for others. TAUT_STATE_DIR overrides. */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['TAUT_STATE_DIR']) return env['TAUT_STATE_DIR'];
  if (process.getuid?.() === 0) return '/var/lib/taut';
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'taut');
}

export function withCommon(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'where the ledger, the socket and the embedded sink are', defaultStateDir())
    .addOption(new Option('--log-level <level>', 'what to say on standard error').choices(LOG_LEVELS).default('info'));
}

export function withConfig(command: Command): Command {
  return command.option('--config <file>', 'YAML or JSON: your own rules beside the built-in ones');
}

export function withJson(command: Command, what: string): Command {
  return command.option('--json', `print ${what} as JSON on standard output`);
}

export function withTuning(command: Command): Command {
  for (const knob of KNOBS) command.addOption(knobOption(knob));
  return command
    .addOption(
      new Option('--descendants <how>', 'children of a tuned agent that no rule names: put back, left, or agents, too')
        .choices(DESCENDANTS)
        .default('contain'),
    )
    .option('--observe-only', 'measure only, whatever flags and other options say')
    .addOption(
      new Option(
        '--max-overhead <percent>',
        'record less when the BPF programs use more than so many percent of a core',
      ).argParser(percent),
    )
    .option(
      '--flags <file>',
      'a flag file in flagd format decides (key taut.optimize-timer-slack), read again on change',
    );
}

/** `--optimize-timer-slack[=VALUE]` and the like. */
function knobOption(knob: Knob): Option {
  const parse = (text: string): bigint => {
    try {
      return knob.parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
  return new Option(`--${knob.option} [value]`, knob.help).preset(String(knob.defaultTarget)).argParser(parse);
}

/** What the command line asks for, by the knob's id. */
export function targetsOf(options: TuneOptions): Targets {
  const given = options as unknown as Readonly<Record<string, bigint | undefined>>; // commander's names, made from KNOBS
  return new Map(
    KNOBS.flatMap((knob) => {
      const value = given[knobOption(knob).attributeName()];
      return value === undefined ? [] : [[knob.id, value] as const];
    }),
  );
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text === '' || !(value > 0 && value <= 100_000))
    throw new InvalidArgumentError('a percentage of one core is wanted: more than 0');
  return value / 100;
}

export function logFor(options: CommonOptions): Log {
  return createLog(options.logLevel, printError);
}

/** A process id as an argument. */
export function pid(text: string): number {
  const value = Number(text);
  if (!/^[1-9]\d*$/.test(text) || value > 4_194_304)
    throw new InvalidArgumentError('a process id is a whole number from 1');
  return value;
}
