/** `--optimize-timer-slack` and the other knob options may have no value; a value follows after `=`. Pure. */
import { KNOBS } from '../actuator/knobs.ts';
import { PROFILE } from '../actuator/profiles.ts';
import { CliError, EXIT } from './exit.ts';

/** What a command takes: this decides what the word after a bare option means. */
export interface CommandShape {
  /** Options whose value is the next word. */
  readonly takesValue: ReadonlySet<string>;
  /** What its arguments are. With `command`, the first argument begins a command line that taut does not read. */
  readonly takes: 'nothing' | 'pids' | 'command';
}

/** An option of a knob, or that of a profile. */
interface Bare {
  readonly option: string;
  readonly defaultTarget: bigint | string;
  parse(text: string): unknown;
}

const BY_OPTION = new Map([...KNOBS, PROFILE].map((bare: Bare) => [`--${bare.option}`, bare]));

/** A switch, or a number with or without a unit of time: the user meant a value, good or bad. */
const VALUE = /^(?:on|off)$|^[-+]?(?:\d[\d_.,]*|\.\d+)\s*(?:[nuµμm]?s|[nuµμm]?secs?|(?:nano|micro|milli)?seconds?)?$/i;

/**
 * Adds the default value to each bare option, so that the next word is not taken for its value. A next word that looks
 * like a value is refused: `run --optimize-timer-slack 10us` would start a program "10us", and `attach 4711
 * --optimize-timer-slack 10` would write to process 10. Words after `--`, and the command of `run`, stay as they are.
 * @throws CliError that says how to write the option.
 */
export function bareOption(argv: readonly string[], shapeOf: (command: string) => CommandShape | undefined): string[] {
  const command = argv[2] ?? '';
  const shape = shapeOf(command);
  if (!shape) return [...argv];
  const words = argv.slice(0, 3);
  for (let i = 3; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (shape.takesValue.has(word)) words.push(word, ...argv.slice(++i, i + 1));
    else if (word === '--' || (shape.takes === 'command' && !word.startsWith('-'))) return [...words, ...argv.slice(i)];
    else {
      const knob = BY_OPTION.get(word);
      if (knob) refuseValue(knob, argv[i + 1], command, shape);
      words.push(knob ? `${word}=${knob.defaultTarget}` : word);
    }
  }
  return words;
}

function refuseValue(knob: Bare, next: string | undefined, command: string, { takes }: CommandShape): void {
  const isValue = next !== undefined && (VALUE.test(next) || isGood(knob, next));
  if (next === undefined || (!isValue && (next.startsWith('-') || takes !== 'nothing'))) return;
  const option = `--${knob.option}`;
  const refuse = (mend: string) => new CliError(`${option} ${next}: ${mend}`, EXIT.usage);
  if (takes === 'pids' && /^\d+$/.test(next))
    throw refuse(
      `is ${next} a value or a process id? Write ${option}=${next} for the value, or put process ids first: taut ${command} ${next} ${option}`,
    );
  const orCommand = takes === 'command' ? `; to run a command that is called so, write ${option} -- ${next}` : '';
  const example = isGood(knob, next) ? next : knob.defaultTarget;
  throw refuse(`a value is written with "=" and without a space, like ${option}=${example}${orCommand}`);
}

function isGood(knob: Bare, text: string): boolean {
  try {
    knob.parse(text);
    return true;
  } catch {
    return false;
  }
}
