import { existsSync, readlinkSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { describeOff, readOff } from '../actuator/off.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import type { Comparison } from '../discovery/compare.ts';
import type { LoggedDecision } from '../discovery/decisionLog.ts';
import { type Compared, Decisions, type Explanation } from '../discovery/decisions.ts';
import { compileRules } from '../discovery/ruleSet.ts';
import type { GateDecision } from '../gate/gate.ts';
import { nowMs } from '../proc/clock.ts';
import { isGone, LazyHandle, ProcHandle } from '../proc/handle.ts';
import { isKernelThread } from '../proc/stat.ts';
import { describeUser, isDenied, NoAccess } from './access.ts';
import { ask } from './control.ts';
import { askAsWhoIAm, askRoots, ROOT_STATE_DIR } from './daemons.ts';
import { CliError, EXIT } from './exit.ts';
import { describe, describeRule, type Explained, type GatedKnobs, type RuleWalk, toJson } from './explained.ts';
import type { CommonOptions } from './given.ts';
import { pid, withCommon, withJson } from './options.ts';
import { printError, printJson, printLine } from './output.ts';
import { readConfig } from './readConfig.ts';
import { splitCommandLine } from './splitCommandLine.ts';

interface ExplainOptions extends CommonOptions {
  readonly last?: number;
  readonly cmdline?: string;
  readonly rule?: string;
}

/** What a daemon tells about a process. */
interface Told extends Explanation {
  readonly gate: GateDecision | null;
  /** A taut of an earlier version names none: it knows timer slack alone. */
  readonly knobs?: GatedKnobs;
  readonly access?: 'public';
}

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why a process is or is not an agent, is or is not tuned')
    .argument('[pid]', 'a process id', pid)
    .option('--last <n>', 'the newest decisions of the running taut: who is an agent, whom a rule denies', count)
    .option('--cmdline <text>', 'what the rules would say to a command line; no process is needed')
    .option('--rule <id>', 'go through this rule condition by condition, for a process or with --cmdline')
    .addHelpText(
      'after',
      `
Examples:
  taut explain 4711
  taut explain --last 20
  taut explain --cmdline 'node /usr/lib/node_modules/@openai/codex/bin/codex.js'
  taut explain 4711 --rule builtin/claude-code
  taut explain 4711 --config my-rules.yaml --json`,
    );
  withJson(withCommon(command), 'the decision').action(async (id: number | undefined, options: ExplainOptions) => {
    if (id !== undefined && (options.last !== undefined || options.cmdline !== undefined))
      throw new CliError('one of a process id, --last and --cmdline is wanted, not several', EXIT.usage);
    if (options.rule !== undefined) return showRule(await ofRule(options.rule, id, options), options);
    if (options.last !== undefined) return show(await lastDecisions(options.last, options), options);
    if (options.cmdline !== undefined) return show(await dry(options.cmdline, options), options);
    if (id === undefined) throw new CliError('a process id, --last or --cmdline is wanted', EXIT.usage);
    const found = await ofProcess(id, options);
    show(found, options);
    if (found.access === 'none') process.exitCode = EXIT.host;
  });
}

async function ofProcess(id: number, options: ExplainOptions): Promise<Explained> {
  const { stateDir } = options;
  const request = { op: 'explain', pid: id } as const;
  const told = await askAsWhoIAm<Told>(stateDir, request).catch((error) => {
    if (error instanceof NoAccess) return error;
    throw error;
  });
  if (told && !(told instanceof NoAccess)) return byDaemon(id, told, stateDir, options);
  const roots = await askRoots<Told>(stateDir, request);
  if (roots) return byDaemon(id, roots, ROOT_STATE_DIR, options);
  const found = await decideNow(id, options);
  if (told) return { ...found, access: 'none', notes: [...found.notes, told.message] };
  const isAgent = found.decision === 'attach';
  const off = isAgent ? readOff(stateDir) : undefined;
  const notes = isAgent ? [`no taut is running with ${stateDir}: nobody measures it, and nobody tunes it`] : [];
  if (off) notes.push(`${describeOff(off)} (taut on lifts that)`);
  return { ...found, notes: [...found.notes, ...notes] };
}

/** @param stateDir state directory of the daemon that answered. */
async function byDaemon(
  id: number,
  { kept, near, gate, access, ...told }: Told,
  stateDir: string,
  options: ExplainOptions,
): Promise<Explained> {
  const kernelThread = kernelThreadOf(id);
  const knobs = told.knobs ?? (gate ? [{ id: timerSlack.id, gate }] : []);
  if (access !== 'public') {
    if (kept) return { ...explained(kept), near, gate, knobs, kernelThread };
    return { ...(await decideNow(id, options)), daemon: true };
  }
  const notes = [
    `the daemon with ${stateDir} tells everybody no more; its evidence is for those who may look in there`,
  ];
  if (kept) return { ...explained(kept), gate, knobs, kernelThread, access, notes };
  if (!existsSync(`/proc/${id}`)) throw notThere(id);
  const none = { decision: 'ignore', ruleId: '', name: '', attachPath: '', evidence: [], lost: [] } as const;
  return { ...explained({ verdict: { ...none, pid: id }, sightings: [], more: 0 }), kernelThread, access, notes };
}

function explained({ verdict, sightings, more }: LoggedDecision): Explained {
  const rest = { near: [], gate: null, knobs: [], kernelThread: undefined, access: 'full', notes: [] } as const;
  return { ...verdict, sightings, more, daemon: true, ...rest };
}

/** Compares the rules with the process as it is now, because no daemon has decided about it. */
async function decideNow(id: number, options: ExplainOptions): Promise<Explained> {
  const decisions = new Decisions(compileRules(await readConfig(options.config)));
  try {
    using process = new LazyHandle(id);
    decisions.decide(process, { kind: 'host' }, { source: 'explain', atMs: nowMs() });
  } catch (error) {
    if (isGone(error)) throw notThere(id);
    if (isDenied(error)) throw new CliError(`${describeUser()} may not look at process ${id}`, EXIT.host);
    throw error;
  }
  const { kept, near } = decisions.explain(id);
  if (!kept) throw notThere(id);
  const notes =
    kept.verdict.decision === 'ignore' && isHidden(id)
      ? [`${describeUser()} may not see its executable, directory and environment: rules about these did not match`]
      : [];
  return { ...explained(kept), near, daemon: false, kernelThread: kernelThreadOf(id), notes };
}

/** Where /proc hides other users' processes, a process that can't be seen may still exist. */
function notThere(id: number): CliError {
  if (existsSync('/proc/1')) return new CliError(`there is no process ${id}`, EXIT.failed);
  const why = `/proc hides other users' processes from ${describeUser()} (hidepid)`;
  return new CliError(`whether there is a process ${id} can't be known: ${why}; ask as root`, EXIT.host);
}

function isHidden(id: number): boolean {
  try {
    readlinkSync(`/proc/${id}/exe`);
    return false;
  } catch (error) {
    return isDenied(error);
  }
}

/** The name of a kernel thread; undefined for other processes and for one that is gone. */
function kernelThreadOf(id: number): string | undefined {
  try {
    using handle = new ProcHandle(id);
    return isKernelThread(handle.stat()) ? handle.text('comm').trimEnd() : undefined;
  } catch {
    return undefined;
  }
}

async function lastDecisions(n: number, options: ExplainOptions): Promise<Explained[]> {
  const kept = await ask<LoggedDecision[]>(options.stateDir, { op: 'last', n });
  if (!kept) throw new CliError(`no taut is running with the state directory ${options.stateDir}`, EXIT.failed);
  return kept.map(explained);
}

/** What the rules say about a command line: those of the running taut, unless --config names others. */
async function dry(cmdline: string, options: ExplainOptions): Promise<Explained> {
  const { comparison, daemon, whose } = await compareWith({ argv: splitCommandLine(cmdline) }, options);
  const { near, steps: _, ...verdict } = comparison;
  const found = explained({ verdict: { ...verdict, pid: 0 }, sightings: [], more: 0 });
  return { ...found, pid: null, near, daemon, notes: [`these are ${whose}`] };
}

/** One rule, condition by condition. */
async function ofRule(rule: string, id: number | undefined, options: ExplainOptions): Promise<RuleWalk> {
  if (options.last !== undefined) throw new CliError('one of --rule and --last is wanted, not both', EXIT.usage);
  const { cmdline } = options;
  if (cmdline === undefined && id === undefined)
    throw new CliError('with --rule a process id or --cmdline is wanted', EXIT.usage);
  const of = cmdline === undefined ? { pid: id ?? 0, rule } : { argv: splitCommandLine(cmdline), rule };
  const { comparison, daemon, whose } = await compareWith(of, options);
  if (!comparison.steps)
    throw new CliError(`there is no rule ${JSON.stringify(rule)} in ${whose}${daemon ? ELSEWHERE : ''}`, EXIT.failed);
  return { pid: id ?? null, rule, steps: comparison.steps, daemon, notes: [`this is one of ${whose}`] };
}

const ELSEWHERE = '; with --config the rules are those of a file';

interface ComparedWith {
  readonly comparison: Comparison;
  readonly daemon: boolean;
  /** Of whom the rules are, for people. */
  readonly whose: string;
}

/**
 * Compares with the rules of the running taut, unless the command line names a configuration: the one of the host or of the
 * environment may be another than the running taut's. If it can't be asked, says so, and compares with those that count here.
 */
async function compareWith(of: Compared, options: ExplainOptions): Promise<ComparedWith> {
  const { config, origins, stateDir } = options;
  const isGiven = config !== undefined && origins?.get('config')?.source === 'option';
  if (!isGiven) {
    try {
      const comparison = await ask<Comparison>(stateDir, { op: 'compare', of });
      if (comparison) return { comparison, daemon: true, whose: 'the rules of the running taut' };
    } catch (error) {
      // A user who may not ask the running taut still gets an answer, and so does one whose taut is older.
      printError(`taut: the running taut was not asked: ${(error as Error).message}`);
    }
  }
  const rules = config === undefined ? 'the built-in rules' : `the rules that ${config} gives`;
  const whose = isGiven ? rules : `${rules}: no taut with the state directory ${stateDir} could be asked for its own`;
  try {
    const comparison = new Decisions(compileRules(await readConfig(config))).compare(of);
    return { comparison, daemon: false, whose };
  } catch (error) {
    if (of.argv === undefined && isGone(error)) throw notThere(of.pid);
    throw error;
  }
}

function showRule(walk: RuleWalk, { json }: ExplainOptions): void {
  if (json) printJson(walk);
  else describeRule(walk).forEach(printLine);
}

function show(found: Explained | Explained[], options: ExplainOptions): void {
  if (options.json) return printJson(Array.isArray(found) ? found.map(toJson) : toJson(found));
  const lines = [found].flat().flatMap(describe);
  (lines.length > 0 ? lines : ['nothing was decided yet']).forEach(printLine);
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 4096)
    throw new InvalidArgumentError('a number from 1 to 4096 is wanted');
  return value;
}
