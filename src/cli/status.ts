import type { Command } from 'commander';
import { formatNs } from '../duration.ts';
import type { StatusDocument } from '../status.ts';
import { ask } from './control.ts';
import { type CommonOptions, printJson, withCommon, withJson } from './options.ts';
import { statusDocument } from './statusDocument.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('who is attached, tuned, to what, by which rule and flag; what the ledger holds')
    .addHelpText('after', '\nExamples:\n  taut status\n  taut status --json | jq ".agents[] | {pid, name, target}"');
  withJson(withCommon(command), 'the status').action(async (options: CommonOptions) => {
    const document =
      (await ask<StatusDocument>(options.stateDir, { op: 'status' })) ?? statusDocument(null, [], options.stateDir);
    if (options.json) printJson(document);
    else process.stdout.write(`${describe(document)}\n`);
  });
}

function describe({ daemon, agents, ledger }: StatusDocument): string {
  const lines = [daemon ? `daemon ${daemon.pid}, since ${daemon.since}` : 'no daemon is running'];
  for (const a of agents) {
    const slack = a.target === null ? 'as found' : `timer slack ${formatNs(BigInt(a.target))}`;
    const { total, tuned, drifted, exempt } = a.threads;
    const threads = `${tuned} of ${total} threads tuned${drifted ? `, ${drifted} drifted` : ''}${exempt ? `, ${exempt} exempt` : ''}`;
    lines.push(
      `${String(a.pid).padStart(8)}  ${a.name}  ${slack}, ${threads} (rule ${a.rule}; gate: ${a.gate.reason})`,
    );
  }
  if (daemon && agents.length === 0) lines.push('no agent is running');
  lines.push(`ledger ${ledger.path}: ${ledger.entries} entries`);
  return lines.join('\n');
}
