import { type Command, InvalidArgumentError } from 'commander';
import { formatValue, titleOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
import type { Ledger } from '../actuator/ledger.ts';
import { key } from '../actuator/ledgerEntry.ts';
import { LedgerError, ledgerPath } from '../actuator/ledgerFile.ts';
import { type Restored, type RestoreOutcome, restoreEntries } from '../actuator/restore.ts';
import type { Restoration } from '../agents/reportRestored.ts';
import { nowMs } from '../proc/clock.ts';
import { openLedger } from './access.ts';
import { CliError, EXIT } from './exit.ts';
import type { CommonOptions } from './given.ts';
import { logFor, pid, withCommon, withJson } from './options.ts';
import { printError, printJson, printLine } from './output.ts';
import { askOwners } from './owners.ts';

interface RestoreCommandOptions extends CommonOptions {
  readonly dryRun?: boolean;
  readonly agent?: string;
  readonly rule?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
}

const OUTCOMES: readonly RestoreOutcome[] = ['restored', 'vanished', 'drifted', 'failed'];

const WORDS: Record<RestoreOutcome, string> = {
  restored: 'put back',
  vanished: 'gone',
  drifted: 'set by somebody else since, left alone',
  failed: 'failed',
};

export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('put back what taut has changed, whether or not a taut is running')
    .argument('[pid...]', 'only these processes', (text: string, before: number[] = []) => [...before, pid(text)])
    .option('--agent <name>', 'only agents of this name')
    .option('--rule <id>', 'only agents of this rule')
    .option('--older-than <time>', 'only what was tuned that long ago: 30s, 10m, 2h, 1d', duration)
    .option('--dry-run', 'list what would be put back, change nothing')
    .addHelpText(
      'after',
      `
Only a thread that still has the value that taut gave it is written: another
value is somebody else's. A running taut (watch, attach, run) puts its own
agents back, and tunes them again only after its flags or rules have changed.

Examples:
  taut restore                     everything
  taut restore --dry-run
  taut restore 4711 4712
  taut restore --agent claude-code --older-than 2h`,
    );
  withJson(withCommon(command), 'what was done').action(
    async (pids: number[] | undefined, options: RestoreCommandOptions) => {
      const { results, problems, told } = await restore(pids, options);
      const summary = Object.fromEntries(
        OUTCOMES.map((outcome) => [outcome, results.filter((r) => r.outcome === outcome).length]),
      );
      if (options.json) printJson({ ...summary, dryRun: options.dryRun === true, entries: results, problems });
      else if (results.length > 0 || problems.length === 0) describe(results, summary, options).forEach(printLine);
      if (problems.length > 0 || results.some((r) => r.outcome === 'failed')) process.exitCode = EXIT.failed;
      if (!told) return;
      const { reportRestoration } = await import('./reportRestoration.ts');
      await reportRestoration(told, options.stateDir, logFor(options));
    },
  );
}

interface Done {
  readonly results: readonly Restored[];
  /** What could not be read, each in a sentence: then not everything may be put back. */
  readonly problems: readonly string[];
  /** What this command itself put back: no daemon reports it. */
  readonly told?: Restoration;
}

async function restore(pids: number[] | undefined, options: RestoreCommandOptions): Promise<Done> {
  using held = open(options.stateDir);
  if (!held) return { results: [], problems: [] };
  const { agent, rule, olderThan } = options;
  const filter = {
    ...(pids && pids.length > 0 ? { pids } : {}),
    ...(agent === undefined ? {} : { agent }),
    ...(rule === undefined ? {} : { rule }),
    ...(olderThan === undefined ? {} : { before: Date.now() - olderThan }),
  };
  const entries = held.entries(filter);
  const say = (message: string) => printError(`taut: ${message}`);
  const byOwners = options.dryRun ? [] : await askOwners(options.stateDir, entries, say);
  // Each owner has removed its restored entries from the ledger. This command restores the rest, left by earlier tauts.
  const left = new Set(held.entries(filter).map(key));
  const rest = entries.filter((entry) => left.has(key(entry)));
  const startMs = nowMs();
  const stays = (why: string) =>
    say(`${held.path} can't be written (${why}): it still has what is put back now, which does no harm`);
  if (held.unwritable !== undefined && entries.length > 0 && !options.dryRun) stays(held.unwritable);
  const onUnremoved = (error: LedgerError) => stays((error.cause as Error).message);
  const here = restoreEntries(held, KNOBS, rest, { dryRun: options.dryRun === true, onUnremoved });
  const elsewhere = held.countElsewhere();
  if (elsewhere > 0)
    say(
      `${held.path} has ${elsewhere} entries of other hosts, earlier boots or other PID namespaces, which stay there`,
    );
  const problems = [...held.lost, ...held.unreadable];
  for (const problem of problems) say(`${held.path}: ${problem}`);
  const told = { results: here, reason: 'taut restore', startMs, endMs: nowMs() };
  return { results: [...byOwners, ...here], problems, ...(here.length > 0 && !options.dryRun && { told }) };
}

/** @throws CliError when the ledger can't be read: taut must not say then that there is nothing to put back. */
function open(stateDir: string): Ledger | undefined {
  try {
    return openLedger(stateDir);
  } catch (error) {
    if (error instanceof LedgerError) throw new CliError(error.message, EXIT.failed);
    throw error;
  }
}

function describe(
  results: readonly Restored[],
  summary: Record<string, number>,
  options: RestoreCommandOptions,
): string[] {
  if (results.length === 0) return [`nothing to put back (${ledgerPath(options.stateDir)})`];
  const lines = results.map(({ tid, pid: of, knob, outcome, original, was, detail }) => {
    const value = (of: bigint) => formatValue(knob, BigInt(of)); // a number, in a daemon's answer
    const done = options.dryRun && outcome === 'restored' ? 'would be put back' : WORDS[outcome];
    const values = `original ${value(original)}${was === undefined ? '' : `, was ${value(was)}`}`;
    return `thread ${tid} of ${of}: ${titleOf(knob)} ${done} (${values})${detail ? `: ${detail}` : ''}`;
  });
  const totals = OUTCOMES.flatMap((outcome) => (summary[outcome] ? `${summary[outcome]} ${WORDS[outcome]}` : []));
  return [...lines, `${options.dryRun ? 'would be: ' : ''}${totals.join('; ')}`];
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

function duration(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('a time is a whole number with s, m, h or d, like 10m');
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] * 1_000;
}
