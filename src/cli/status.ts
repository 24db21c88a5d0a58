import type { Command } from 'commander';
import { formatValue, titleOf } from '../actuator/knobNames.ts';
import { describeOff } from '../actuator/off.ts';
import { type AgentStatus, isTuned, knobsOf, type StatusDocument, type TracerStatus } from '../agents/status.ts';
import type { Mode } from '../tracer/features.ts';
import { MOST_OF_A_NAME, printable } from '../util/printable.ts';
import { describeUser, NoAccess } from './access.ts';
import { askAsWhoIAm, askRoots, ROOT_STATE_DIR } from './daemons.ts';
import { CliError, EXIT } from './exit.ts';
import type { CommonOptions } from './given.ts';
import { withCommon, withJson } from './options.ts';
import { printJson, printLine } from './output.ts';
import { statusOfRuns, withRuns } from './owners.ts';
import { statusDocument } from './statusDocument.ts';
import { waitsInShort } from './waited.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('which agents a running taut watches, how they are tuned and why; what is still to be put back')
    .addHelpText('after', '\nExamples:\n  taut status\n  taut status --json | jq ".agents[] | {pid, name, target}"');
  withJson(withCommon(command), 'the status').action(async ({ stateDir, json }: CommonOptions) => {
    const hostDaemon = await rootsDaemon(stateDir);
    const asked = await askAsWhoIAm<StatusDocument>(stateDir, { op: 'status' }).catch((error) => {
      if (error instanceof NoAccess && hostDaemon)
        throw new CliError(`${error.message}\n${describeRoots(hostDaemon)}`, EXIT.host);
      throw error;
    });
    const all = withRuns(asked ?? statusDocument(stateDir), await statusOfRuns(stateDir));
    const document = { ...all, ...(hostDaemon && { hostDaemon }) };
    if (json) printJson(document);
    else describe(document, stateDir).forEach(printLine);
    if (document.ledger.problem !== undefined) process.exitCode = EXIT.failed;
    else if (document.ledger.entries === null) process.exitCode = EXIT.host;
  });
}

/** Root's daemon watches the agents of every user, so a user without a daemon wants to see it. */
async function rootsDaemon(stateDir: string): Promise<StatusDocument['hostDaemon']> {
  const told = await askRoots<StatusDocument>(stateDir, { op: 'status' });
  if (!told?.daemon) return undefined;
  const { daemon, agents } = told;
  const tuned = agents.filter(isTuned).length;
  return { stateDir: ROOT_STATE_DIR, pid: daemon.pid, since: daemon.since, agents: agents.length, tuned };
}

function describe(document: StatusDocument, stateDir: string): string[] {
  const { access, off, daemon, flagProvider, runs, tracer, agents, guard, ledger, hostDaemon } = document;
  const lines = [
    daemon ? `taut ${daemon.pid} is running, since ${daemon.since}` : `no taut is running with ${stateDir}`,
  ];
  // A taut of an earlier version says nothing of it.
  if (off) lines.push(`${describeOff(off)} (taut on lifts that)`);
  // Of one agent, its own line says it.
  for (const { pid, reason } of document.coolDowns ?? []) if (pid === null) lines.push(`no agent is tuned: ${reason}`);
  for (const run of runs) {
    lines.push(`taut ${run.pid} is running for one command or demo, since ${run.since}`);
    lines.push(...describeGuard(run.guard));
  }
  if (flagProvider)
    lines.push(`flags: provider ${flagProvider.name}, ${flagProvider.state.toLowerCase().replace('_', ' ')}`);
  if (tracer) lines.push(describeTracer(tracer));
  for (const agent of agents)
    lines.push(
      `${String(agent.pid).padStart(8)}  ${describeAgent(agent)}`,
      ...waitsInShort(agent).map((line) => `${' '.repeat(10)}${line}`),
    );
  if ((daemon || runs.length > 0) && agents.length === 0) lines.push('no agent is running');
  lines.push(...describeGuard(guard));
  lines.push(...describeLedger(ledger));
  if (access === 'public')
    lines.push(
      `this is what taut tells everybody; more is for those who may look into ${stateDir}, which ${describeUser()} may not`,
    );
  if (hostDaemon) lines.push(describeRoots(hostDaemon));
  return lines;
}

function describeGuard(guard: StatusDocument['guard']): string[] {
  return guard ? [`process ${guard.pid} puts everything back should this taut be killed (its guard)`] : [];
}

function describeLedger({ path, entries, problem }: StatusDocument['ledger']): string[] {
  const said = problem === undefined ? [] : [problem];
  if (entries === null)
    return problem === undefined
      ? [`what is still to be put back ${describeUser()} may not know (${path}); ask as root`]
      : said;
  if (entries === 0) return problem === undefined ? [`nothing to put back (${path})`] : said;
  return [...said, `${entries} values of threads to put back (${path})`];
}

function describeRoots({ stateDir, pid, since, agents, tuned }: NonNullable<StatusDocument['hostDaemon']>): string {
  const has = `${agents} agents, ${tuned} of them tuned`;
  return `root's taut ${pid} runs on this host, since ${since}: ${has}; see: taut status --state-dir ${stateDir}`;
}

/** One line about an agent: each of its knobs, and the rule that found it. */
export function describeAgent(agent: AgentStatus): string {
  const { name, rule } = agent;
  const called = printable(name, MOST_OF_A_NAME);
  const by = rule === 'pid' ? 'named on the command line' : `rule ${printable(rule, MOST_OF_A_NAME)}`;
  return `${called}: ${[...knobsOf(agent).map(describeKnob), by, ...describeTrial(agent)].join('; ')}`;
}

function describeTrial({ guardrail }: AgentStatus): string[] {
  if (!guardrail) return [];
  const { state, blocks, of } = guardrail;
  return [
    state === 'passed' ? 'the guardrail has found no harm' : `on trial by the guardrail, ${blocks} of ${of} blocks`,
  ];
}

function describeKnob({ id, target, gate, threads }: AgentStatus['knobs'][number]): string {
  const { total, tuned, drifted, exempt } = threads;
  const title = printable(titleOf(id), MOST_OF_A_NAME);
  const value = target === null ? 'not changed' : formatValue(id, BigInt(target));
  // Of an agent that has no tools there is no thread.
  const of = target === null ? inWords(total) : `${tuned} of ${inWords(total)}`;
  const to = `${title} ${value}${total > 0 ? ` in ${of}` : ''}`;
  const others = [
    drifted > 0 ? `, ${drifted} set by somebody else since` : '',
    exempt > 0 ? `, ${exempt} left as they are` : '',
  ].join('');
  return `${to}${others} (${gate.reason})`;
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
  const of = sampling.factor > 1 ? `, for one wakeup in ${sampling.factor}` : '';
  if (!sampling.detail) parts.push(`to cost less only how late timers fire and how long threads wait for a CPU${of}`);
  return parts.join(', ');
}
