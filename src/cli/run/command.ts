/** The life of `taut run`: its command, and what is done for it. */
import type { TuneOptions } from '../given.ts';
import { type HeldCommand, HOLD_MS, hold, holdMs } from './held.ts';
import { type Plan, planFor } from './plan.ts';
import { type QuietLog, quietLog } from './quietLog.ts';
import { handOn } from './signals.ts';
import { Survival } from './survival.ts';
import { watchOver } from './watchOver.ts';

/**
 * Resolves when the command has ended and everything is put back; the exit code of this process is then the command's.
 * @param started the command, where it has been started already.
 * @throws CliError, ConfigError or TelemetryConfigError for wrong options, before the command is started.
 */
export async function runCommand(
  command: readonly string[],
  options: TuneOptions,
  started?: HeldCommand,
): Promise<void> {
  const log = quietLog(options);
  const plan = await planFor(command, options, log);
  const survival = new Survival(log);
  const held = started ?? (await start(plan, log));
  log.hush();
  if (held.pid !== undefined) await watchOver({ held, pid: held.pid, plan, options, log, survival });
  process.exitCode = await held.ended;
  log.tell();
}

async function start({ command, mayTune }: Plan, log: QuietLog): Promise<HeldCommand> {
  let held: HeldCommand | undefined;
  handOn(() => held);
  held = await hold(command, mayTune ? holdMs() : HOLD_MS, (message) => log.error(message));
  return held;
}
