import type { Command } from 'commander';
import { Ledger, ledgerExists, ledgerPath } from '../actuator/ledger.ts';
import { type Restored, restoreEntries } from '../actuator/restore.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import { formatNs } from '../config/duration.ts';
import { CliError, EXIT } from './exit.ts';
import { type CommonOptions, pid, printJson, withCommon, withJson } from './options.ts';

interface RestoreCommandOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('put timer slack back from the ledger, whether or not a daemon runs')
    .argument('[pid...]', 'only these processes', (text: string, before: number[] = []) => [...before, pid(text)])
    .option('--dry-run', 'list what would be put back, change nothing')
    .addHelpText('after', '\nExamples:\n  taut restore            everything in the ledger\n  taut restore --dry-run\n  taut restore 4711');
  withJson(withCommon(command), 'what was done').action((pids: number[] | undefined, options: RestoreCommandOptions) => {
    const results = restore(pids ?? [], options);
    const count = (outcome: Restored['outcome']) => results.filter((r) => r.outcome === outcome).length;
    const summary = {
      restored: count('restored'),
      vanished: count('vanished'),
      drifted: count('drifted'),
      failed: count('failed'),
    };
    if (options.json) printJson({ ...summary, dryRun: options.dryRun === true, entries: results });
    else process.stdout.write(`${describe(results, summary, options)}\n`);
    if (summary.failed > 0) process.exitCode = EXIT.failed;
  });
}

function restore(pids: number[], options: RestoreCommandOptions): Restored[] {
  if (!ledgerExists(options.stateDir)) return [];
  let ledger: Ledger;
  try {
    ledger = new Ledger(options.stateDir);
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.failed);
  }
  using held = ledger;
  const entries = pids.length === 0 ? held.entries() : pids.flatMap((p) => held.entries(p));
  return restoreEntries(held, [timerSlack], entries, { dryRun: options.dryRun === true });
}

function describe(results: Restored[], summary: Record<string, number>, options: RestoreCommandOptions): string {
  if (results.length === 0) return `nothing to put back (${ledgerPath(options.stateDir)})`;
  const lines = results.map((r) => {
    const was = r.was === undefined ? '' : `, was ${formatNs(r.was)}`;
    return `thread ${r.tid} of ${r.pid}: ${r.outcome} (original ${formatNs(r.original)}${was})${r.detail ? `: ${r.detail}` : ''}`;
  });
  const totals = Object.entries(summary).map(([outcome, n]) => `${n} ${outcome}`);
  return [...lines, `${options.dryRun ? 'would be: ' : ''}${totals.join(', ')}`].join('\n');
}
