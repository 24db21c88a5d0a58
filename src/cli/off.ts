/** The kill switch: `taut off` puts everything back and keeps it so; `taut on` lifts that. */
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { KNOBS } from '../actuator/knobs.ts';
import type { Ledger } from '../actuator/ledger.ts';
import { LedgerError } from '../actuator/ledgerFile.ts';
import { describeOff, MOST_OF_A_REASON, type Off, offPath, readOff, turnOff, turnOn } from '../actuator/off.ts';
import { type Restored, restoreEntries } from '../actuator/restore.ts';
import type { StatusDocument } from '../agents/status.ts';
import { liftCoolDowns } from '../gate/coolDowns.ts';
import { nowMs } from '../proc/clock.ts';
import { makeFolder } from '../util/folder.ts';
import { distrust } from '../util/trust.ts';
import { describeUser, isDenied, openLedger } from './access.ts';
import { askRoots } from './daemons.ts';
import { CliError, EXIT } from './exit.ts';
import type { CommonOptions } from './given.ts';
import { logFor, withCommon, withJson } from './options.ts';
import { printError, printJson, printLine } from './output.ts';
import { tellSwitched } from './owners.ts';

/** A taut that has put nothing back for this time is not waited for. */
const PATIENCE_MS = 300;
const LOOK_MS = 20;

interface OffOptions extends CommonOptions {
  readonly reason?: string;
}

export function addOff(program: Command): void {
  const command = program
    .command('off')
    .description(
      'the kill switch: put everything back, and tune nothing until taut on, whatever options, flags and rules say',
    )
    .option('--reason <text>', 'why: taut status and taut explain say it', reason)
    .addHelpText(
      'after',
      `
It is a file in the state directory, and counts for every taut of that
directory: those that run, whether they answer or not, and those that start
later, also after a restart of the machine. Measuring goes on.

Examples:
  taut off
  taut off --reason 'incident 4711'
  taut on`,
    );
  withJson(withCommon(command), 'what was done').action(off);
}

export function addOn(program: Command): void {
  const command = program
    .command('on')
    .description('lift taut off, and what the guardrail has put back: options, flags and rules decide again')
    .addHelpText('after', '\nExamples:\n  taut on');
  withJson(withCommon(command), 'what was done').action(on);
}

async function off({ stateDir, json, ...options }: OffOptions): Promise<void> {
  const made: Off = { reason: options.reason || null, since: new Date().toISOString(), by: describeUser() };
  allowed(stateDir, () => {
    makeFolder(stateDir);
    turnOff(stateDir, made);
  });
  const telling = tellSwitched(stateDir);
  using ledger = open(stateDir);
  const startMs = nowMs();
  const { rest, problems } = await putBack(ledger, telling);
  const failed = rest.filter(({ outcome }) => outcome === 'failed');
  const left = failed.length;
  if (json) printJson({ off: made, fromRecord: rest.length - left, failed, problems });
  else
    printLine(
      `${describeOff(made)}; ${left === 0 ? 'everything is put back' : `${left} values could not be put back`}`,
    );
  for (const { tid, pid, detail } of failed)
    printError(`taut: thread ${tid} of ${pid} could not be put back: ${detail}`);
  for (const problem of problems) printError(`taut: ${problem}`);
  if (left > 0 || problems.length > 0) process.exitCode = EXIT.failed;
  await sayRoots(stateDir, 'is not turned off by that');
  const told = {
    results: rest,
    reason: `taut off${made.reason === null ? '' : `: ${made.reason}`}`,
    startMs,
    endMs: nowMs(),
  };
  if (rest.length > 0) {
    const { reportRestoration } = await import('./reportRestoration.ts');
    await reportRestoration(told, stateDir, logFor({ stateDir, ...options }));
  }
}

async function on({ stateDir, json }: CommonOptions): Promise<void> {
  const { was, lifted } = allowed(stateDir, () => ({ was: turnOn(stateDir), lifted: liftCoolDowns(stateDir) }));
  if (was || lifted > 0) await Promise.race([tellSwitched(stateDir), setTimeout(PATIENCE_MS)]);
  await sayRoots(stateDir, 'is not turned on by that');
  if (json) return printJson({ off: readOff(stateDir) ?? null, was: was ?? null, coolDowns: lifted });
  if (was) printLine(`tuning is on again: options, flags and rules decide (${describeOff(was, 'it was off')})`);
  if (lifted > 0)
    printLine(`lifted what the guardrail had put back: ${lifted === 1 ? 'it' : `all ${lifted}`} may be tuned again`);
  if (!was && lifted === 0) printLine('tuning was not off');
}

/** Root's taut tunes the agents of every user, by a switch of its own: who turns the own one may have meant that. */
async function sayRoots(stateDir: string, what: string): Promise<void> {
  const roots = await askRoots<StatusDocument>(stateDir, { op: 'status' });
  if (roots?.daemon)
    printError(`taut: root's taut ${roots.daemon.pid} ${what}: it has a switch of its own, which root turns`);
}

/** @throws CliError when this user may not turn the switch, or can't. */
function allowed<T>(stateDir: string, work: () => T): T {
  const problem = distrust(stateDir);
  if (problem !== undefined)
    throw new CliError(`the kill switch of ${stateDir} can't be turned: ${problem}`, EXIT.host);
  try {
    return work();
  } catch (error) {
    const why = `${describeUser()} can't turn the kill switch of ${stateDir}: ${(error as Error).message}`;
    const mend = isDenied(error)
      ? 'it is turned by root, or by whose directory that is'
      : `${offPath(stateDir)} is what turns it off`;
    throw new CliError(`${why}; ${mend}`, EXIT.host);
  }
}

/** @returns undefined when there is none, so that nothing is to be put back. */
function open(stateDir: string): Ledger | undefined {
  try {
    return openLedger(stateDir);
  } catch (error) {
    if (error instanceof LedgerError) throw new CliError(`tuning is off, but ${error.message}`, EXIT.failed);
    throw error;
  }
}

interface Done {
  /** What they have not, and this command did: theirs who are gone, and who hang. */
  readonly rest: readonly Restored[];
  readonly problems: readonly string[];
}

/** Waits for the running tauts as long as they put back, and does the rest from the record. */
async function putBack(ledger: Ledger | undefined, telling: Promise<void>): Promise<Done> {
  if (!ledger) return { rest: [], problems: [] };
  let isDone = false;
  void telling.then(() => {
    isDone = true;
  });
  for (let left = ledger.count(), sinceMs = performance.now(); left > 0 && !isDone; await setTimeout(LOOK_MS)) {
    const now = ledger.count();
    if (now < left) sinceMs = performance.now();
    else if (performance.now() - sinceMs > PATIENCE_MS) break;
    left = now;
  }
  const entries = ledger.entries(); // also finds what can't be understood
  const rest = restoreEntries(ledger, KNOBS, entries, { onUnremoved: ({ message }) => printError(`taut: ${message}`) });
  return { rest, problems: [...ledger.lost, ...ledger.unreadable] };
}

/** A reason that is empty, or too long, must not keep anything from being put back. */
function reason(text: string): string {
  const said = text.trim();
  return said.length > MOST_OF_A_REASON ? `${said.slice(0, MOST_OF_A_REASON - 1)}…` : said;
}
