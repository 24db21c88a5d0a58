/** Helpers of the tests of `taut run`. */
import type { StatusDocument } from '../../src/agents/status.ts';
import type { Program } from './program.ts';
import type { Sandbox } from './taut.ts';

export const TUNED = '--optimize-timer-slack';
/** A command that prints its id and its slack, waits for a line, and exits with 7. */
export const WAITING = ['sh', '-c', 'echo $$ $(cat /proc/$$/timerslack_ns); read line; exit 7'];

/** Waits for the id that a `WAITING` command prints. */
export async function pidOf(program: Program): Promise<number> {
  return Number((await program.line(/^\d+ \d+$/)).split(' ')[0]);
}

export async function entries(sandbox: Sandbox): Promise<number> {
  return (await sandbox.json<StatusDocument>('status')).ledger.entries ?? Number.NaN;
}

export async function finished(program: Program): Promise<number> {
  program.say('');
  return program.ended;
}
