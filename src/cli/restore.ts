import { type Command, InvalidArgumentError } from 'commander';
import { formatValue, KNOBS } from '../actuator/knobs.ts';
import { Ledger, ledgerExists, ledgerPath } from '../actuator/ledger.ts';
import { type Restored, type RestoreOutcome, restoreEntries } from '../actuator/restore.ts';
import { CliError, EXIT } from './exit.ts';
import { type CommonOptions, pid, printJson, withCommon, withJson } from './options.ts';
import { askOwners } from './owners.ts';

interface RestoreCommandOptions extends CommonOptions {
  readonly dryRun?: boolean;
  readonly agent?: string;
  readonly rule?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
}

const OUTCOMES: readonly RestoreOutcome[] = ['restored', 'vanished', 'drifted', 'failed'];

export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('put timer slack back from the ledger, whether or not a daemon runs')
    .argument('[pid...]', 'only these processes', (text: string, before: number[] = []) => [...before, pid(text)])
    .option('--agent <name>', 'only agents of this name')
    .option('--rule <id>', 'only agents of this rule')
    .option('--older-than <time>', 'only what was tuned that long ago: 30s, 10m, 2h, 1d', duration)
    .option('--dry-run', 'list what would be put back, change nothing')
    .addHelpText(
      'after',
      `
Only what still has the value that taut gave it is written; another value is somebody else's, and left alone.
A running taut (the daemon, each taut run) puts its own agents back, and tunes them again when its gate changes its word.

Examples:
  taut restore                     everything in the ledger
  taut restore --dry-run
  taut restore 4711 4712
  taut restore --agent claude-code --older-than 2h`,
    );
  withJson(withCommon(command), 'what was done').action(
    async (pids: number[] | undefined, options: RestoreCommandOptions) => {
      const results = await restore(pids, options);
      const summary = Object.fromEntries(
        OUTCOMES.map((outcome) => [outcome, results.filter((r) => r.outcome === outcome).length]),
      );
      if (options.json) printJson({ ...summary, dryRun: options.dryRun === true, entries: results });
      else process.stdout.write(`${describe(results, summary, options)}\n`);
      if (results.some((r) => r.outcome === 'failed')) process.exitCode = EXIT.failed;
    },
  );
}

async function restore(pids: number[] | undefined, options: RestoreCommandOptions): Promise<Restored[]> {
  if (!ledgerExists(options.stateDir)) return [];
  let ledger: Ledger;
  try {
    ledger = new Ledger(options.stateDir);
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.failed);
  }
  using held = ledger;
  const { agent, rule, olderThan } = options;
  const filter = {
    ...(pids && pids.length > 0 ? { pids } : {}),
    ...(agent === undefined ? {} : { agent }),
    ...(rule === undefined ? {} : { rule }),
    ...(olderThan === undefined ? {} : { before: Date.now() - olderThan }),
  };
  const entries = held.entries(filter);
  const say = (message: string) => process.stderr.write(`taut: ${message}\n`);
  const byOwners = options.dryRun ? [] : await askOwners(options.stateDir, entries, say);
  // What it has put back is off the ledger; what it knows nothing of (an earlier taut's) is done here.
  const left = new Set(held.entries(filter).map(({ tid, startTicks }) => `${tid} ${startTicks}`));
  const rest = entries.filter(({ tid, startTicks }) => left.has(`${tid} ${startTicks}`));
  return [...byOwners, ...restoreEntries(held, KNOBS, rest, { dryRun: options.dryRun === true })];
}

function describe(results: Restored[], summary: Record<string, number>, options: RestoreCommandOptions): string {
  if (results.length === 0) return `nothing to put back (${ledgerPath(options.stateDir)})`;
  const lines = results.map(({ tid, pid: of, knob, outcome, original, was, detail }) => {
    const found = was === undefined ? '' : `, was ${formatValue(knob, BigInt(was))}`;
    return `thread ${tid} of ${of}: ${options.dryRun && outcome === 'restored' ? 'would be restored' : outcome} (original ${formatValue(knob, BigInt(original))}${found})${detail ? `: ${detail}` : ''}`;
  });
  const totals = Object.entries(summary).map(([outcome, n]) => `${n} ${outcome}`);
  return [...lines, `${options.dryRun ? 'would be: ' : ''}${totals.join(', ')}`].join('\n');
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

function duration(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('a time is a whole number with s, m, h or d, like 10m');
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] * 1_000;
}
