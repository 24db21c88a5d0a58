/**
 * `taut run` where nothing can be wrong: without options, or with bare ones of knobs alone. The command is started before
 * anything else is loaded, and the command line is not read any further. It is not held at all where it is not to be tuned:
 * then nothing is to be done before its first instruction.
 */
import { existsSync } from 'node:fs';
import { checkEnvironment } from '../../../otel/environment.ts';
import type { Knob } from '../../actuator/knob.ts';
import { KNOBS } from '../../actuator/knobs.ts';
import { PROFILE, type Profile } from '../../actuator/profiles.ts';
import { CONFIG_VARIABLE, HOST_CONFIG, SETTINGS } from '../../config/settings.ts';
import { procLack } from '../../proc/whole.ts';
import { withoutFrom } from '../../tracer/features.ts';
import { givenAlone } from '../given.ts';
import { stateDirProblem } from '../stateDir.ts';
import { carry } from './carried.ts';
import { type HeldCommand, holdMs, tryHold } from './held.ts';
import { handOn } from './signals.ts';

/**
 * Runs the command if it can be told without doubt which it is, and how it is to be run; resolves when it has ended.
 * @param args those after `run`. @returns whether it did: else nothing was done.
 */
export async function runAtOnce(args: readonly string[]): Promise<boolean> {
  const { command, knobs, profile } = meant(args);
  const isTuned = knobs.length > 0 || profile !== undefined;
  if (command.length === 0 || !isSound(process.env)) return false;
  const options = givenAlone(knobs, process.env, profile);
  const carried = await carry({ command, env: process.env, telemetry: process.env, stateDir: options.stateDir });
  let held: HeldCommand | undefined;
  handOn(() => held);
  held = tryHold(command, isTuned ? holdMs() : 0, say, carried.env);
  if (!held) return false;
  const { runCommand } = await import('./command.ts');
  try {
    await runCommand(command, options, { held, carried });
  } catch (error) {
    const { report } = await import('../program.ts');
    await report(error);
    held.release();
    process.exitCode = await held.ended;
  }
  return true;
}

async function say(message: string): Promise<void> {
  const { printError } = await import('../output.ts');
  printError(`taut: ${message}`);
}

/** Options of knobs and profiles, without a value. */
const BARE: ReadonlySet<string> = new Set([...KNOBS, PROFILE].map(({ option }) => `--${option}`));

/**
 * Reads the arguments as commander does: the command is everything after `--`, or everything from the first word that
 * is no option. The command is empty when there are options that may be wrong.
 */
export function meant(args: readonly string[]): {
  command: readonly string[];
  knobs: readonly Knob[];
  profile?: Profile;
} {
  const bare = args.findIndex((word) => !BARE.has(word));
  const given = args.slice(0, Math.max(0, bare));
  const knobs = KNOBS.filter(({ option }) => given.includes(`--${option}`));
  const profile = given.includes(`--${PROFILE.option}`) ? { profile: PROFILE.defaultTarget } : {};
  if (args[bare] === '--') return { command: args.slice(bare + 1), knobs, ...profile };
  // A word after a bare option may be meant as its value.
  const isCommand = bare === 0 && !args[0]?.startsWith('-');
  return { command: isCommand ? args : [], knobs };
}

/** Whether the environment has no mistake, as far as the loaded modules can know. */
function isSound(env: NodeJS.ProcessEnv): boolean {
  if (env['OTEL_CONFIG_FILE'] || procLack()) return false;
  // What a configuration or a variable says is read where the whole command line is.
  if (existsSync(HOST_CONFIG) || env[CONFIG_VARIABLE] !== undefined) return false;
  if (SETTINGS.some(({ key, variable }) => key !== 'stateDir' && env[variable] !== undefined)) return false;
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
