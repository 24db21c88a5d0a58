/**
 * Starts the command of `taut run` before most of taut is loaded, if no later check can find a mistake. Without a knob
 * option the command is not held at all: then there is nothing to do before its first instruction.
 */
import { checkEnvironment } from '../../../otel/environment.ts';
import { KNOBS } from '../../actuator/knobs.ts';
import { withoutFrom } from '../../tracer/features.ts';
import { stateDirProblem } from '../stateDir.ts';
import { type HeldCommand, HOLD_MS, tryHold } from './held.ts';
import { handOn } from './signals.ts';

let started: HeldCommand | undefined;
/** Reports errors of the command; does nothing until there is a log. */
let say: (message: string) => void = () => {};

/** Knob options without a value. */
const BARE: ReadonlySet<string> = new Set(KNOBS.map(({ option }) => `--${option}`));

/** Starts the command when there is no doubt that it must start, and how. @param args the arguments after `run`. */
export function startAtOnce(args: readonly string[]): void {
  const { command, isTuned } = meant(args);
  if (command.length === 0 || !isSound(process.env)) return;
  handOn(() => started);
  started = tryHold(command, isTuned ? HOLD_MS : 0, (message) => say(message));
}

/** The command that `startAtOnce` started, if any; its errors go to `log` from now on. */
export function startedAtOnce(log: (message: string) => void): HeldCommand | undefined {
  say = log;
  return started;
}

/**
 * Reads the arguments as commander does: the command is everything after `--`, or everything from the first word that
 * is no option. The command is empty when there are options that may be wrong.
 */
export function meant(args: readonly string[]): { command: readonly string[]; isTuned: boolean } {
  const first = args.findIndex((word) => !BARE.has(word));
  const isTuned = first !== 0;
  if (args[first] === '--') return { command: args.slice(first + 1), isTuned };
  // A word after a bare option may be its value.
  const isCommand = !isTuned && args[0] !== undefined && !args[0].startsWith('-');
  return { command: isCommand ? args : [], isTuned };
}

/** Whether the environment has no mistake, as far as the loaded modules can know. */
function isSound(env: NodeJS.ProcessEnv): boolean {
  if (env['OTEL_TRACES_SAMPLER'] || env['OTEL_TRACES_SAMPLER_ARG']) return false;
  const stateDir = env['TAUT_STATE_DIR'];
  if (stateDir !== undefined && stateDirProblem(stateDir) !== undefined) return false;
  try {
    withoutFrom(env);
    checkEnvironment(env);
    return true;
  } catch {
    return false; // reported by the later check
  }
}
