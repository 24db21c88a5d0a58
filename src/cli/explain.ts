import { type Command, InvalidArgumentError } from 'commander';
import { isGone, ProcHandle } from '../actuator/procHandle.ts';
import { loadConfig } from '../config/load.ts';
import { Decisions, type Verdict } from '../discovery/decisions.ts';
import { compileRules, decide, NO_PROCESS } from '../discovery/matcher.ts';
import type { GateDecision } from '../gate/gate.ts';
import { ask } from './control.ts';
import { CliError, EXIT } from './exit.ts';
import { type CommonOptions, pid, printJson, withCommon, withConfig, withJson } from './options.ts';
import { splitWords } from './words.ts';

interface ExplainOptions extends CommonOptions {
  readonly last?: number;
  readonly cmdline?: string;
}

/** One decision, as it is shown. */
interface Explained extends Pick<Verdict, 'decision' | 'ruleId' | 'name' | 'attachPath' | 'evidence'> {
  readonly pid: number | null;
  readonly gate: GateDecision | null;
  /** Whether a running daemon decided it. */
  readonly daemon: boolean;
}

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why a process is or is not an agent, is or is not tuned')
    .argument('[pid]', 'a process id', pid)
    .option('--last <n>', "the running daemon's newest decisions to attach or deny", count)
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
      if (options.last !== undefined) return show(await lastDecisions(options.last, options), options);
      if (options.cmdline !== undefined) return show(dry(options.cmdline, options), options);
      if (id === undefined) throw new CliError('a process id, --last or --cmdline is wanted', EXIT.usage);
      return show(await ofProcess(id, options), options);
    },
  );
}

async function ofProcess(id: number, options: ExplainOptions): Promise<Explained> {
  interface Answer {
    readonly verdict: Verdict | null;
    readonly gate: GateDecision | null;
  }
  const running = await ask<Answer>(options.stateDir, { op: 'explain', pid: id });
  const verdict = running?.verdict ?? decideNow(id, options);
  return { ...verdict, gate: running?.gate ?? null, daemon: running !== undefined };
}

/** No daemon has decided on it: the rules are held against the process as it is now. */
function decideNow(id: number, options: ExplainOptions): Verdict {
  const decisions = new Decisions(compileRules(loadConfig(options.config)));
  try {
    using handle = new ProcHandle(id);
    return decisions.decide(handle, { kind: 'host' });
  } catch (error) {
    if (isGone(error)) throw new CliError(`there is no process ${id}`, EXIT.failed);
    throw error;
  }
}

async function lastDecisions(n: number, options: ExplainOptions): Promise<Explained[]> {
  const verdicts = await ask<Verdict[]>(options.stateDir, { op: 'last', n });
  if (!verdicts) throw new CliError(`no daemon is running with ${options.stateDir}`, EXIT.failed);
  return verdicts.map((verdict) => ({ ...verdict, gate: null, daemon: true }));
}

function dry(cmdline: string, options: ExplainOptions): Explained {
  const argv = splitWords(cmdline);
  const facts = { ...NO_PROCESS, pid: 0, argv, exe: argv[0], comm: '' };
  const { decision, rule, path, evidence } = decide(facts, compileRules(loadConfig(options.config)));
  const decided = { decision, ruleId: rule?.id ?? '', name: rule?.name ?? '', attachPath: path, evidence };
  return { ...decided, pid: null, gate: null, daemon: false };
}

function show(explained: Explained | Explained[], options: ExplainOptions): void {
  if (options.json) printJson(Array.isArray(explained) ? explained.map(toJson) : toJson(explained));
  else process.stdout.write(`${[explained].flat().map(describe).join('\n') || 'nothing was decided yet'}\n`);
}

function toJson({ pid: id, decision, ruleId, evidence, gate, name, attachPath, daemon }: Explained): unknown {
  return {
    pid: id,
    decision,
    rule: ruleId || null,
    evidence,
    gate: gate && { value: gate.value, reason: gate.reason },
    name: name || null,
    attachPath: decision === 'attach' ? attachPath : null,
    daemon,
  };
}

function describe({ pid: id, decision, ruleId, name, evidence, gate, daemon }: Explained): string {
  const who = id === null ? 'a process with this command line' : `process ${id}`;
  const is = {
    attach: `is an agent: ${name} (rule ${ruleId})`,
    deny: `is denied by rule ${ruleId}`,
    ignore: 'is no agent: no rule names it',
  }[decision];
  const lines = [`${who} ${is}`, ...evidence.map((e) => `  ${e}`)];
  if (gate) lines.push(`  gate: ${gate.value === null ? 'not tuned' : `${gate.value} ns`}: ${gate.reason}`);
  else if (id !== null && decision === 'attach' && !daemon)
    lines.push('  no daemon is running, so it is neither measured nor tuned');
  return lines.join('\n');
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 4096)
    throw new InvalidArgumentError('a number from 1 to 4096 is wanted');
  return value;
}
