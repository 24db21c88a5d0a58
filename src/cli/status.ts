import type { Command } from 'commander';
import { formatNs } from '../duration.ts';
import { MOST_OF_A_NAME, printable } from '../printable.ts';
import type { AgentStatus, StatusDocument, TracerStatus } from '../status.ts';
import { describeUser, NoAccess } from './access.ts';
import { askAsWhoIAm, askRoots, ROOT_STATE_DIR } from './daemons.ts';
import { CliError, EXIT } from './exit.ts';
import { type CommonOptions, withCommon, withJson } from './options.ts';
import { printJson, printLine } from './output.ts';
import { defaultStateDir } from './stateDir.ts';
import { statusDocument } from './statusDocument.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('which agents a running taut watches, what their timer slack is and why; what is still to be put back')
    .addHelpText('after', '\nExamples:\n  taut status\n  taut status --json | jq ".agents[] | {pid, name, target}"');
  withJson(withCommon(command), 'the status').action(async ({ stateDir, json }: CommonOptions) => {
    const hostDaemon = stateDir === defaultStateDir() ? await rootsDaemon(stateDir) : undefined;
    const asked = await askAsWhoIAm<StatusDocument>(stateDir, { op: 'status' }).catch((error) => {
      if (error instanceof NoAccess && hostDaemon)
        throw new CliError(`${error.message}\n${describeRoots(hostDaemon)}`, EXIT.host);
      throw error;
    });
    const document = { ...(asked ?? statusDocument(stateDir)), ...(hostDaemon && { hostDaemon }) };
    if (json) printJson(document);
    else describe(document, stateDir).forEach(printLine);
    if (document.ledger.entries === null) process.exitCode = document.ledger.problem ? EXIT.failed : EXIT.host;
  });
}

/** Root's daemon watches the agents of every user: who has no daemon of its own wants to know. */
async function rootsDaemon(stateDir: string): Promise<StatusDocument['hostDaemon']> {
  const told = await askRoots<StatusDocument>(stateDir, { op: 'status' });
  if (!told?.daemon) return undefined;
  const { daemon, agents } = told;
  const tuned = agents.filter(({ target }) => target !== null).length;
  return { stateDir: ROOT_STATE_DIR, pid: daemon.pid, since: daemon.since, agents: agents.length, tuned };
}

function describe(document: StatusDocument, stateDir: string): string[] {
  const { access, daemon, tracer, agents, guard, ledger, hostDaemon } = document;
  const lines = [daemon ? `daemon ${daemon.pid}, since ${daemon.since}` : `no daemon is running with ${stateDir}`];
  if (tracer) lines.push(describeTracer(tracer));
  lines.push(...agents.map(describeAgent));
  if (daemon && agents.length === 0) lines.push('no agent is running');
  if (guard) lines.push(`guard ${guard.pid}: puts everything back should the daemon be killed`);
  if (ledger.problem) lines.push(ledger.problem);
  else if (ledger.entries === null) lines.push(`ledger ${ledger.path}: ${describeUser()} may not read it; ask as root`);
  else lines.push(`ledger ${ledger.path}: ${ledger.entries} entries`);
  if (access === 'public')
    lines.push(
      `this is what the daemon tells everybody; more is for those who may look into ${stateDir}, which ${describeUser()} may not`,
    );
  if (hostDaemon) lines.push(describeRoots(hostDaemon));
  return lines;
}

function describeRoots({ stateDir, pid, since, agents, tuned }: NonNullable<StatusDocument['hostDaemon']>): string {
  const has = `${agents} agents, ${tuned} of them tuned`;
  return `root's daemon ${pid} runs on this host, since ${since}: ${has}; see: taut status --state-dir ${stateDir}`;
}

function describeAgent({ pid, name, rule, gate, target, threads }: AgentStatus): string {
  const slack = target === null ? 'as found' : `timer slack ${formatNs(BigInt(target))}`;
  const { total, tuned, drifted, exempt } = threads;
  const counts = `${tuned} of ${total} threads tuned${drifted ? `, ${drifted} drifted` : ''}${exempt ? `, ${exempt} exempt` : ''}`;
  const called = printable(name, MOST_OF_A_NAME);
  return `${String(pid).padStart(8)}  ${called}  ${slack}, ${counts} (rule ${printable(rule, MOST_OF_A_NAME)}; gate: ${gate.reason})`;
}

function describeTracer({ mode, modeReason, state, reason, cost, sampling }: TracerStatus): string {
  const parts = [`measuring: mode ${mode}${modeReason === null ? '' : ` (${modeReason})`}`];
  if (mode === 'full' || mode === 'wakeups') parts.push(state === 'ok' ? 'ok' : `degraded: ${reason}`);
  if (cost.percent !== null) parts.push(`${cost.percent.toFixed(2)}% of a core (${cost.method})`);
  if (!sampling.detail) parts.push('just lateness and run-queue delay');
  if (sampling.factor > 1) parts.push(`of one wakeup in ${sampling.factor}`);
  return parts.join(', ');
}
