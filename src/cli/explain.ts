import { type Command, InvalidArgumentError } from 'commander';
import { isGone, LazyHandle } from '../actuator/procHandle.ts';
import { nowMs } from '../clock.ts';
import { loadConfig } from '../config/load.ts';
import { Decisions, type Explanation, type Verdict } from '../discovery/decisions.ts';
import type { Kept } from '../discovery/kept.ts';
import { decide, NO_PROCESS } from '../discovery/matcher.ts';
import { nearMisses } from '../discovery/nearMiss.ts';
import { compileRules } from '../discovery/ruleSet.ts';
import type { Sighting } from '../discovery/sighting.ts';
import type { GateDecision } from '../gate/gate.ts';
import type { StatusDocument } from '../status.ts';
import { ask } from './control.ts';
import { CliError, EXIT } from './exit.ts';
import { type CommonOptions, pid, printJson, withCommon, withConfig, withJson } from './options.ts';
import { splitWords } from './words.ts';

interface ExplainOptions extends CommonOptions {
  readonly last?: number;
  readonly cmdline?: string;
}

/** One decision, as it is shown. */
interface Explained extends Omit<Verdict, 'pid'> {
  readonly pid: number | null;
  readonly sightings: readonly Sighting[];
  /** Sightings that are not kept. */
  readonly more: number;
  readonly near: readonly string[];
  readonly gate: GateDecision | null;
  /** Whether a running daemon decided it. */
  readonly daemon: boolean;
}

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why a process is or is not an agent, is or is not tuned')
    .argument('[pid]', 'a process id', pid)
    .option('--last <n>', 'the newest decisions of the running taut: who is an agent, whom a rule denies', count)
    .option('--cmdline <text>', 'what the rules would say to a command line; no process is needed')
    .addHelpText(
      'after',
      `
Examples:
  taut explain 4711
  taut explain --last 20
  taut explain --cmdline 'node /usr/lib/node_modules/@openai/codex/bin/codex.js'
  taut explain 4711 --config my-rules.yaml --json`,
    );
  withJson(withConfig(withCommon(command)), 'the decision').action(
    async (id: number | undefined, options: ExplainOptions) => {
      if (id !== undefined && (options.last !== undefined || options.cmdline !== undefined))
        throw new CliError('one of a process id, --last and --cmdline is wanted, not several', EXIT.usage);
      if (options.last !== undefined) return show(await lastDecisions(options.last, options), options);
      if (options.cmdline !== undefined) return show(await dry(options.cmdline, options), options);
      if (id === undefined) throw new CliError('a process id, --last or --cmdline is wanted', EXIT.usage);
      return show(await ofProcess(id, options), options);
    },
  );
}

async function ofProcess(id: number, options: ExplainOptions): Promise<Explained> {
  const running = await ask<Explanation & { gate: GateDecision | null }>(options.stateDir, { op: 'explain', pid: id });
  if (running?.kept) return { ...explained(running.kept), near: running.near, gate: running.gate };
  return { ...decideNow(id, options), daemon: running !== undefined };
}

function explained({ verdict, sightings, more }: Kept): Explained {
  return { ...verdict, sightings, more, near: [], gate: null, daemon: true };
}

/** No daemon has decided on it: the rules are held against the process as it is now. */
function decideNow(id: number, options: ExplainOptions): Explained {
  const decisions = new Decisions(compileRules(loadConfig(options.config)));
  try {
    using process = new LazyHandle(id);
    decisions.decide(process, { kind: 'host' }, { source: 'explain', atMs: nowMs() });
  } catch (error) {
    if (isGone(error)) throw new CliError(`there is no process ${id}`, EXIT.failed);
    throw error;
  }
  const { kept, near } = decisions.explain(id);
  if (!kept) throw new CliError(`there is no process ${id}`, EXIT.failed);
  return { ...explained(kept), near };
}

async function lastDecisions(n: number, options: ExplainOptions): Promise<Explained[]> {
  const kept = await ask<Kept[]>(options.stateDir, { op: 'last', n });
  if (!kept) throw new CliError(`no taut is running with the state directory ${options.stateDir}`, EXIT.failed);
  return kept.map(explained);
}

/** Of these rules: those of a running taut may be others. */
async function dry(cmdline: string, options: ExplainOptions): Promise<Explained> {
  const running = await ask<StatusDocument>(options.stateDir, { op: 'status' });
  if (running?.daemon && options.config === undefined)
    process.stderr.write(
      `taut: this is what the built-in rules say; taut ${running.daemon.pid}, which is running, may have others: give its --config\n`,
    );
  const argv = splitWords(cmdline);
  const facts = { ...NO_PROCESS, pid: 0, argv, exe: argv[0], comm: '' };
  const rules = compileRules(loadConfig(options.config));
  const { decision, rule, path, evidence, lost } = decide(facts, rules);
  const near = decision === 'ignore' ? nearMisses(facts, rules) : [];
  const decided = { decision, ruleId: rule?.id ?? '', name: rule?.name ?? '', attachPath: path, evidence, lost, near };
  return { ...decided, pid: null, sightings: [], more: 0, gate: null, daemon: false };
}

function show(explained: Explained | Explained[], options: ExplainOptions): void {
  if (options.json) printJson(Array.isArray(explained) ? explained.map(toJson) : toJson(explained));
  else process.stdout.write(`${[explained].flat().map(describe).join('\n') || 'nothing was decided yet'}\n`);
}

function toJson({ pid: id, decision, ruleId, evidence, gate, name, attachPath, daemon, ...more }: Explained): unknown {
  return {
    pid: id,
    decision,
    rule: ruleId || null,
    evidence,
    gate: gate && { value: gate.value, reason: gate.reason },
    name: name || null,
    attachPath: decision === 'attach' ? attachPath : null,
    daemon,
    sources: more.sightings.map(({ source, what, atMs, lastMs, times }) => ({
      source,
      what: what ?? null,
      at: new Date(atMs).toISOString(),
      last: new Date(lastMs).toISOString(),
      times,
    })),
    moreSources: more.more,
    lost: more.lost,
    nearest: more.near,
  };
}

function describe(one: Explained): string {
  const { pid: id, decision, ruleId, name, evidence, gate, daemon } = one;
  const who = id === null ? 'a process with this command line' : `process ${id}`;
  const is = {
    attach: `is an agent: ${name} (rule ${ruleId})`,
    deny: `is denied by rule ${ruleId}`,
    ignore: 'is no agent: no rule names it',
  }[decision];
  const lines = [`${who} ${is}`, ...evidence.map((e) => `  ${e}`)];
  for (const { rule, why, evidence: because } of one.lost)
    lines.push(`  rule ${rule} names it, too (${because.join(', ')}): ${why}`);
  for (const near of one.near) lines.push(`  near: ${near}`);
  for (const sighting of one.sightings) lines.push(`  seen: ${describeSighting(sighting)}`);
  if (one.more > 0) lines.push(`  seen ${one.more} times more`);
  if (gate)
    lines.push(`  ${gate.value === null ? 'not tuned' : `its timer slack is to be ${gate.value} ns`}: ${gate.reason}`);
  else if (id !== null && decision === 'attach' && !daemon)
    lines.push('  no taut is running that watches it: it is not measured, and its timer slack is not changed');
  return lines.join('\n');
}

const SOURCES: Record<Sighting['source'], string> = {
  exec: 'it ran this program',
  scan: 'it was there when every process was looked at',
  rename: 'it gave itself another name',
  dns: 'it asked for',
  connection: 'it connected to',
  child: 'an agent made it',
  explain: 'now',
};

function describeSighting({ source, what, atMs, lastMs, times }: Sighting): string {
  const at = new Date(atMs).toISOString();
  const again = times > 1 ? ` (${times} times, last at ${new Date(lastMs).toISOString()})` : '';
  return `${SOURCES[source]}${what === undefined ? '' : ` ${what}`}, ${at}${again}`;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 4096)
    throw new InvalidArgumentError('a number from 1 to 4096 is wanted');
  return value;
}
