/** Explains why no rule matched a process: the rules that nearly did, what was missing, and what would find it. Pure. */
import { nearest } from '../config/nearest.ts';
import type { Facts } from './conditions.ts';
import { programOf } from './matcher.ts';
import { type EffectiveProgram, effectiveProgram } from './program.ts';
import type { CompiledRule, RuleSet } from './ruleSet.ts';
import { standIn } from './standIn.ts';

const MOST = 5;
/** Shorter names are near to too many others. */
const SHORTEST = 4;

/** Properties that many processes share: if only these match, the rule is no near miss. */
const COMMON = new Set([
  'runtime',
  'user',
  'working directory',
  'environment variable',
  'control group',
  'parent program',
]);

/** Lines for people, the nearest miss first; empty when no rule nearly matched. */
export function nearMisses(facts: Facts, rules: RuleSet): string[] {
  const program = programOf(facts);
  const partly = rules.rules.flatMap((rule) => nearMiss(rule, facts, program));
  // An agent may have several rules: the one that lacks least says most.
  const nearer = partly.toSorted((a, b) => a.lacks - b.lacks);
  const best = nearer.filter(({ name }, i) => nearer.findIndex((one) => one.name === name) === i);
  return [
    ...started(program),
    ...stoodFor(facts, program, rules),
    ...best.map(({ text }) => text),
    ...(program.starts === undefined ? wrapped(facts, program, rules) : []),
    ...misspelt(program.name, rules),
  ].slice(0, MOST);
}

interface Near {
  readonly name: string;
  /** How many conditions do not hold. */
  readonly lacks: number;
  readonly text: string;
}

function nearMiss({ id, name, conditions, exceptions }: CompiledRule, facts: Facts, program: EffectiveProgram): Near[] {
  const tried = conditions.map((condition) => ({ ...condition, line: condition.holds(facts, program) }));
  const met = tried.flatMap(({ what, line }) => (line === undefined || COMMON.has(what) ? [] : [line]));
  if (met.length === 0) return [];
  const missing = tried.filter(({ line }) => line === undefined).map(({ what }) => what);
  const begin = `rule ${id}: ${met.join(', ')}`;
  if (missing.length > 0) {
    const asked = tried.find(({ what }) => what === missing[0])?.asked ?? [];
    const text = `${begin}; but its ${missing.join(' and ')} ${verb(missing)} match${remedy(missing, asked, program)}`;
    // A rule for another runtime is farther than one for this runtime.
    return [{ name, lacks: missing.length + (missing.includes('runtime') ? 0.5 : 0), text }];
  }
  const hindered = exceptions.flatMap(({ holds }) => holds(facts, program) ?? []);
  const text = `${begin}; but the rule leaves it out, as ${hindered.join(', ')}${remedyOf(exceptions, facts, program)}`;
  return hindered.length > 0 ? [{ name, lacks: 0, text }] : [];
}

const PLURAL = new Set(['arguments', 'options', 'names asked for', 'connections']);

function verb(subjects: readonly string[]): string {
  return subjects.length > 1 || PLURAL.has(subjects[0] ?? '') ? 'do not' : 'does not';
}

/** What a person can do about the one thing that is missing. */
function remedy(missing: readonly string[], asked: readonly string[], program: EffectiveProgram): string {
  if (missing.length !== 1) return '';
  const [what = ''] = missing;
  if (what === 'runtime')
    return ` (it is ${JSON.stringify(program.interpreter ?? 'native')}, the rule asks for ${asked.map((one) => JSON.stringify(one)).join(' or ')})`;
  if (what === 'path')
    return '; if it is the agent, write a rule with its program and its path: this one asks for a folder or a title that it does not have';
  if (what === 'executable' || what === 'names asked for')
    return '; other programs have this name: if it is the agent, write a rule with its program and its exe';
  return '';
}

/** What a person can do who has another opinion than the rule about what a program was told to do. */
function remedyOf(exceptions: CompiledRule['exceptions'], facts: Facts, program: EffectiveProgram): string {
  const isTold = exceptions.some(({ what, holds }) => what === 'command' && holds(facts, program) !== undefined);
  return isTold ? '; if it works for you then, too, write a rule with its program and its command' : '';
}

/** A launcher: the agent is its child. */
function started({ name, starts }: EffectiveProgram): string[] {
  if (starts === undefined) return [];
  return [`${JSON.stringify(name)} starts a program as a child: that child is the agent, if a rule names it`];
}

/** It has an agent's name, and is something else under that name. */
function stoodFor(facts: Facts, { names }: EffectiveProgram, rules: RuleSet): string[] {
  const name = names.find((one) => rules.programs.includes(one.toLowerCase()));
  const why = name === undefined ? undefined : standIn(facts);
  return why === undefined ? [] : [`its program is called ${JSON.stringify(name)}; but ${why}`];
}

/** Finds an agent's name among the arguments: the process is a wrapper that starts the agent. */
function wrapped({ argv }: Facts, { name }: EffectiveProgram, rules: RuleSet): string[] {
  const at = argv.findIndex((argument, i) => {
    const program = effectiveProgram([argument], () => undefined).name;
    return i > 0 && program !== name && rules.programs.includes(program.toLowerCase());
  });
  if (at < 0) return [];
  const what = `argument ${at} is the name of an agent's program, but ${JSON.stringify(name)} is what runs here`;
  return [`${what}: if that starts the program as a child, the child is the agent`];
}

function misspelt(name: string, rules: RuleSet): string[] {
  const known = rules.programs.filter((one) => one.length >= SHORTEST);
  const meant = name.length < SHORTEST ? undefined : nearest(name, known);
  return meant === undefined || meant === name.toLowerCase()
    ? []
    : [`its program ${JSON.stringify(name)} is nearly ${JSON.stringify(meant)}`];
}
