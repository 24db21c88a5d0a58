/**
 * Starting the command of `taut run` before most of taut is loaded, where nothing that is left to be found can be wrong. It
 * is not held at all where no option says anything about it: then nothing is to be done to it before its first instruction.
 */
import { checkEnvironment } from '../../../otel/environment.ts';
import { KNOBS } from '../../actuator/knobs.ts';
import { withoutFrom } from '../../tracer/features.ts';
import { stateDirProblem } from '../stateDir.ts';
import { type HeldCommand, HOLD_MS, tryHold } from './held.ts';
import { handOn } from './signals.ts';

let started: HeldCommand | undefined;
/** What is said of it before there is a log. */
let say: (message: string) => void = () => {};

/** Knob options without a value. */
const BARE: ReadonlySet<string> = new Set(KNOBS.map(({ option }) => `--${option}`));

/** Starts it, if it can be told without doubt that it is to be started, and how. `args` are those after `run`. */
export function startAtOnce(args: readonly string[]): void {
  const { command, isTuned } = meant(args);
  if (command.length === 0 || !isSound(process.env)) return;
  handOn(() => started);
  started = tryHold(command, isTuned ? HOLD_MS : 0, (message) => say(message));
}

/** The command that `startAtOnce` started; what there is to say of it from now on goes to `log`. */
export function startedAtOnce(log: (message: string) => void): HeldCommand | undefined {
  say = log;
  return started;
}

/**
 * As commander takes them: the command is what comes after `--`, or everything from the first word on that is no option. It
 * is empty where there are options that may be wrong.
 */
export function meant(args: readonly string[]): { command: readonly string[]; isTuned: boolean } {
  const first = args.findIndex((word) => !BARE.has(word));
  const isTuned = first !== 0;
  if (args[first] === '--') return { command: args.slice(first + 1), isTuned };
  // A word after a bare option may be meant as its value.
  const isCommand = !isTuned && args[0] !== undefined && !args[0].startsWith('-');
  return { command: isCommand ? args : [], isTuned };
}

/** Whether the environment is right, as far as that can be known with what is loaded. */
function isSound(env: NodeJS.ProcessEnv): boolean {
  if (env['OTEL_TRACES_SAMPLER'] || env['OTEL_TRACES_SAMPLER_ARG']) return false;
  const stateDir = env['TAUT_STATE_DIR'];
  if (stateDir !== undefined && stateDirProblem(stateDir) !== undefined) return false;
  try {
    withoutFrom(env);
    checkEnvironment(env);
    return true;
  } catch {
    return false; // said by what looks at it again
  }
}
