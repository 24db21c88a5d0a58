/** What the rules say about facts, without a decision that anybody keeps: all of them, or one condition by condition. Pure. */
import type { Condition, Facts } from './conditions.ts';
import { decide, NO_PROCESS, programOf } from './matcher.ts';
import { nearMisses } from './nearMiss.ts';
import type { EffectiveProgram } from './program.ts';
import type { CompiledRule, RuleSet } from './ruleSet.ts';
import type { Verdict } from './verdict.ts';

/** One condition of a rule, or one of its exceptions. */
export interface Step {
  readonly condition: string;
  /** It stands in the rule's `not`. */
  readonly isException: boolean;
  readonly holds: boolean;
  /** What the process has, and what the rule asks for. Never quotes arguments. */
  readonly text: string;
}

export interface Comparison extends Omit<Verdict, 'pid'> {
  /** The rules that nearly match, when none does. */
  readonly near: readonly string[];
  /** The conditions of the rule that was asked about; null: there is no such rule, or none was asked about. */
  readonly steps: readonly Step[] | null;
}

/** Facts of a command line without a process: its first word stands for the executable. */
export function factsOfCmdline(argv: readonly string[]): Facts {
  return { ...NO_PROCESS, pid: 0, argv, exe: argv[0], comm: '' };
}

export function compare(facts: Facts, rules: RuleSet, ruleId: string | undefined): Comparison {
  const { decision, rule, path, evidence, lost } = decide(facts, rules);
  const near = decision === 'ignore' ? nearMisses(facts, rules) : [];
  const asked = ruleId === undefined ? undefined : rules.rule(ruleId);
  const verdict = { decision, ruleId: rule?.id ?? '', name: rule?.name ?? '', attachPath: path, evidence, lost };
  return { ...verdict, near, steps: asked ? stepsOf(asked, facts) : null };
}

/** Each condition of the rule, then each exception, whether the ones before hold or not. */
function stepsOf(rule: CompiledRule, facts: Facts): Step[] {
  const program = programOf(facts);
  return [
    ...rule.conditions.map((condition) => stepOf(condition, false, facts, program)),
    ...rule.exceptions.map((condition) => stepOf(condition, true, facts, program)),
  ];
}

function stepOf(condition: Condition, isException: boolean, facts: Facts, program: EffectiveProgram): Step {
  const line = condition.holds(facts, program);
  const text = line ?? missing(condition, facts, program);
  return { condition: condition.what, isException, holds: line !== undefined, text };
}

const MOST_SHOWN = 8;

/** Why a condition does not hold: what the process has, unless that may be a secret, and what the rule asks for. */
export function missing({ what, asked, found }: Condition, facts: Facts, program: EffectiveProgram): string {
  const values = found?.(facts, program).filter((value) => value !== '') ?? [];
  const has = found === undefined ? '' : ` ${values.length === 0 ? '(none)' : list(values)}`;
  return `${what}${has}: no match for ${list(asked)}`;
}

function list(texts: readonly string[]): string {
  const shown = texts.slice(0, MOST_SHOWN).map((text) => JSON.stringify(text));
  const more = texts.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
