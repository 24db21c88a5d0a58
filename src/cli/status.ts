import type { Command } from 'commander';
import { formatNs } from '../duration.ts';
import type { AgentStatus, StatusDocument, TracerStatus } from '../status.ts';
import type { Mode } from '../tracer/features.ts';
import { ask } from './control.ts';
import { EXIT } from './exit.ts';
import { type CommonOptions, printJson, withCommon, withJson } from './options.ts';
import { statusDocument } from './statusDocument.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('which agents a running taut watches, what their timer slack is and why; what is still to be put back')
    .addHelpText('after', '\nExamples:\n  taut status\n  taut status --json | jq ".agents[] | {pid, name, target}"');
  withJson(withCommon(command), 'the status').action(async (options: CommonOptions) => {
    const document =
      (await ask<StatusDocument>(options.stateDir, { op: 'status' })) ?? statusDocument(options.stateDir);
    if (options.json) printJson(document);
    else process.stdout.write(`${describe(document)}\n`);
    if (document.ledger.entries === null) process.exitCode = EXIT.failed;
  });
}

function describe({ daemon, tracer, agents, ledger }: StatusDocument): string {
  const lines = [
    daemon ? `taut ${daemon.pid} is running, since ${daemon.since}` : 'no taut is running with this state directory',
  ];
  if (tracer) lines.push(describeTracer(tracer));
  for (const agent of agents) lines.push(`${String(agent.pid).padStart(8)}  ${describeAgent(agent)}`);
  if (daemon && agents.length === 0) lines.push('no agent is running');
  const { path, entries, problem } = ledger;
  lines.push(
    problem ?? (entries === 0 ? `nothing to put back (${path})` : `${inWords(entries ?? 0)} to put back (${path})`),
  );
  return lines.join('\n');
}

function describeAgent({ name, rule, target, gate, threads }: AgentStatus): string {
  const { total, tuned, drifted, exempt } = threads;
  const slack =
    target === null
      ? `timer slack not changed in ${inWords(total)}`
      : `timer slack ${formatNs(BigInt(target))} in ${tuned} of ${inWords(total)}`;
  const others = [
    drifted > 0 ? `, ${drifted} set by somebody else since` : '',
    exempt > 0 ? `, ${exempt} that have none` : '',
  ].join('');
  return `${name}: ${slack}${others} (${gate.reason}); ${rule === 'pid' ? 'named on the command line' : `rule ${rule}`}`;
}

function inWords(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

const MEASURING: Record<Mode, string> = {
  full: 'everything',
  wakeups: 'wakeups, but not timers',
  schedstat: 'just the time spent waiting for a CPU',
  none: 'nothing',
};

function describeTracer({ mode, modeReason, state, reason, cost, sampling }: TracerStatus): string {
  const parts = [`measuring ${MEASURING[mode]} (mode ${mode}${modeReason === null ? '' : `: ${modeReason}`})`];
  if (state !== 'ok') parts.push(`not reliable now (degraded): ${reason}`);
  if (cost.percent !== null) parts.push(`${cost.percent.toFixed(2)}% of a core (${cost.method})`);
  const of = sampling.factor > 1 ? ` of one wakeup in ${sampling.factor}` : '';
  if (!sampling.detail) parts.push(`to cost less just how late timers fire and how long threads wait for a CPU${of}`);
  return parts.join(', ');
}
