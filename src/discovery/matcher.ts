/** Decides on a process by its facts and the rules, with reasons. Pure. */
import type { Facts } from './conditions.ts';
import { type EffectiveProgram, effectiveProgram } from './program.ts';
import type { AttachPath, CompiledRule, RuleSet } from './ruleSet.ts';
import type { LazyFacts } from './sighting.ts';
import type { LostRule } from './verdict.ts';

export interface Decided {
  readonly decision: 'attach' | 'deny' | 'ignore';
  readonly rule: CompiledRule | undefined;
  /** How it was found. */
  readonly path: AttachPath;
  readonly evidence: readonly string[];
  readonly lost: readonly LostRule[];
  /** The agent whose program it is, told to do something else than be that agent; undefined of most. */
  readonly besides: string | undefined;
}

/** Empty lazy facts, to match a command line without a process. */
export const NO_PROCESS: LazyFacts = {
  users: () => [],
  cwd: () => undefined,
  env: () => [],
  cgroups: () => [],
  ancestors: () => [],
};

/** The program that a process runs, by its facts. */
export function programOf(facts: Facts): EffectiveProgram {
  return effectiveProgram(
    facts.argv,
    () => facts.exe,
    () => facts.env(),
  );
}

/** Matches a process against the rules. A matching denial wins; else the first rule that matches. */
export function decide(facts: Facts, rules: RuleSet): Decided {
  const program = programOf(facts);
  const may = rules.about(program);
  let besides: string | undefined;
  for (const [i, rule] of may.entries()) {
    const evidence = conditionsHold(rule, facts, program);
    if (!evidence) continue;
    const excepted = exceptionOf(rule, facts, program);
    if (excepted !== undefined) {
      if (rule.action === 'attach' && TOLD.has(excepted)) besides ??= rule.name;
      continue;
    }
    const lost = may.slice(i + 1).flatMap((other) => lostTo(rule, other, facts, program));
    return { decision: rule.action, rule, path: rule.path(facts), evidence, lost, besides: undefined };
  }
  const itself =
    program.name === ''
      ? 'it has no program: it is a thread of the kernel, or has ended'
      : `its program is ${JSON.stringify(program.name)}`;
  const tried = `${rules.rules.length} rules tried; ${itself}`;
  return { decision: 'ignore', rule: undefined, path: 'cmdline', evidence: [tried], lost: [], besides };
}

/** What a program is told on its command line. */
const TOLD = new Set(['command', 'options']);

/** Why a rule matches, one line for each condition; undefined when it does not match. */
function match(rule: CompiledRule, facts: Facts, program: EffectiveProgram): string[] | undefined {
  const evidence = conditionsHold(rule, facts, program);
  return evidence && exceptionOf(rule, facts, program) === undefined ? evidence : undefined;
}

function conditionsHold(rule: CompiledRule, facts: Facts, program: EffectiveProgram): string[] | undefined {
  let evidence: string[] | undefined;
  for (const { holds } of rule.conditions) {
    const line = holds(facts, program);
    if (line === undefined) return undefined;
    evidence = [...(evidence ?? []), line];
  }
  return evidence;
}

/** What the first exception that holds is about. */
function exceptionOf(rule: CompiledRule, facts: Facts, program: EffectiveProgram): string | undefined {
  return rule.exceptions.find(({ holds }) => holds(facts, program) !== undefined)?.what;
}

function lostTo(winner: CompiledRule, rule: CompiledRule, facts: Facts, program: EffectiveProgram): LostRule[] {
  const evidence = match(rule, facts, program);
  if (!evidence) return [];
  const why =
    winner.action === 'deny' && rule.action === 'attach' ? `${winner.id} denies it` : `${winner.id} stands before it`;
  return [{ rule: rule.id, action: rule.action, evidence, why }];
}
