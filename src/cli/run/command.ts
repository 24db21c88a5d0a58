/** The life of `taut run`: its command, and what is done for it. */
import type { TuneOptions } from '../given.ts';
import { type Carried, carry } from './carried.ts';
import { type HeldCommand, HOLD_MS, hold, holdMs } from './held.ts';
import { type Plan, planFor } from './plan.ts';
import { type QuietLog, quietLog } from './quietLog.ts';
import { handOn } from './signals.ts';
import { Survival } from './survival.ts';
import { tellAlone } from './tellAlone.ts';
import { watchOver } from './watchOver.ts';

/** A command, and what it was told of taut's trace. */
export interface StartedCommand {
  readonly held: HeldCommand;
  readonly carried: Carried;
}

/**
 * Resolves when the command has ended and everything is put back; the exit code of this process is then the command's.
 * @param started the command, where it has been started already.
 * @throws CliError, ConfigError or TelemetryConfigError for wrong options, before the command is started.
 */
export async function runCommand(
  command: readonly string[],
  options: TuneOptions,
  started?: StartedCommand,
): Promise<void> {
  const log = quietLog(options);
  const plan = await planFor(command, options, log);
  const survival = new Survival(log);
  const { held, carried } = started ?? (await start(plan, options, log));
  for (const sentence of carried.ignored) log.debug(sentence);
  log.hush();
  const run = { carried, isTold: false };
  if (held.pid !== undefined) await watchOver({ held, pid: held.pid, plan, options, log, survival, run });
  process.exitCode = await held.ended;
  if (!run.isTold) await tellAlone({ carried, held, options, log });
  log.tell();
}

async function start(plan: Plan, options: TuneOptions, log: QuietLog): Promise<StartedCommand> {
  const { command, mayTune, telemetry } = plan;
  const carried = await carry({ command, env: process.env, telemetry, stateDir: options.stateDir });
  let held: HeldCommand | undefined;
  handOn(() => held);
  held = await hold(command, mayTune ? holdMs() : HOLD_MS, (message) => log.error(message), carried.env);
  return { held, carried };
}
