import type { Command } from 'commander';
import { formatNs } from '../duration.ts';
import type { StatusDocument, TracerStatus } from '../status.ts';
import { ask } from './control.ts';
import { type CommonOptions, printJson, withCommon, withJson } from './options.ts';
import { statusOfRuns, withRuns } from './owners.ts';
import { statusDocument } from './statusDocument.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('who is attached, tuned, to what, by which rule and flag; what the ledger holds')
    .addHelpText('after', '\nExamples:\n  taut status\n  taut status --json | jq ".agents[] | {pid, name, target}"');
  withJson(withCommon(command), 'the status').action(async (options: CommonOptions) => {
    const daemons = (await ask<StatusDocument>(options.stateDir, { op: 'status' })) ?? statusDocument(options.stateDir);
    const document = withRuns(daemons, await statusOfRuns(options.stateDir));
    if (options.json) printJson(document);
    else process.stdout.write(`${describe(document)}\n`);
  });
}

function describe({ daemon, runs, tracer, agents, ledger }: StatusDocument): string {
  const lines = [daemon ? `daemon ${daemon.pid}, since ${daemon.since}` : 'no daemon is running'];
  for (const { pid, since } of runs) lines.push(`taut run ${pid}, since ${since}`);
  if (tracer) lines.push(describeTracer(tracer));
  for (const a of agents) {
    const slack = a.target === null ? 'as found' : `timer slack ${formatNs(BigInt(a.target))}`;
    const { total, tuned, drifted, exempt } = a.threads;
    const threads = `${tuned} of ${total} threads tuned${drifted ? `, ${drifted} drifted` : ''}${exempt ? `, ${exempt} exempt` : ''}`;
    lines.push(
      `${String(a.pid).padStart(8)}  ${a.name}  ${slack}, ${threads} (rule ${a.rule}; gate: ${a.gate.reason})`,
    );
  }
  if ((daemon || runs.length > 0) && agents.length === 0) lines.push('no agent is running');
  lines.push(`ledger ${ledger.path}: ${ledger.entries} entries`);
  return lines.join('\n');
}

function describeTracer({ mode, modeReason, state, reason, cost, sampling }: TracerStatus): string {
  const parts = [`measuring: mode ${mode}${modeReason === null ? '' : ` (${modeReason})`}`];
  if (mode === 'full' || mode === 'wakeups') parts.push(state === 'ok' ? 'ok' : `degraded: ${reason}`);
  if (cost.percent !== null) parts.push(`${cost.percent.toFixed(2)}% of a core (${cost.method})`);
  if (!sampling.detail) parts.push('just lateness and run-queue delay');
  if (sampling.factor > 1) parts.push(`of one wakeup in ${sampling.factor}`);
  return parts.join(', ');
}
