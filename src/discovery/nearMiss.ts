/** Explains why no rule matched a process: the rules that nearly did, and what was missing. Pure. */
import { nearest } from '../config/nearest.ts';
import type { Facts } from './conditions.ts';
import { programOf } from './matcher.ts';
import { effectiveProgram } from './program.ts';
import type { RuleSet } from './ruleSet.ts';

const MOST = 5;

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
  const partly = rules.rules.flatMap(({ id, name, conditions, exceptions }) => {
    const tried = conditions.map(({ what, holds }) => ({ what, line: holds(facts, program) }));
    const met = tried.flatMap(({ what, line }) => (COMMON.has(what) ? [] : (line ?? [])));
    if (!tried.some(({ what, line }) => line !== undefined && !COMMON.has(what))) return [];
    const missing = tried.flatMap(({ what, line }) => (line === undefined ? [what] : []));
    // A rule for another runtime is farther than one for this runtime.
    const lacks = missing.length + (missing.includes('runtime') ? 0.5 : 0);
    if (lacks > 0)
      return [
        { name, lacks, text: `rule ${id}: ${met.join(', ')}; but its ${missing.join(' and ')} ${verb(missing)} match` },
      ];
    const hindered = exceptions.flatMap(({ holds }) => holds(facts, program) ?? []);
    return hindered.length > 0
      ? [{ name, lacks, text: `rule ${id}: ${met.join(', ')}; but also ${hindered.join(', ')}` }]
      : [];
  });
  // An agent may have several rules: the one that lacks least says most.
  const nearer = partly.toSorted((a, b) => a.lacks - b.lacks);
  const texts = nearer
    .filter(({ name }, i) => nearer.findIndex((one) => one.name === name) === i)
    .map(({ text }) => text);
  return [...texts, ...wrapped(facts, program.name, rules), ...misspelt(program.name, rules)].slice(0, MOST);
}

const PLURAL = new Set(['arguments', 'names asked for', 'connections']);

function verb(subjects: readonly string[]): string {
  return subjects.length > 1 || PLURAL.has(subjects[0] ?? '') ? 'do not' : 'does not';
}

/** Finds an agent's name among the arguments: the process is a wrapper that starts the agent. */
function wrapped({ argv }: Facts, name: string, rules: RuleSet): string[] {
  const at = argv.findIndex((argument, i) => {
    const program = effectiveProgram([argument], () => undefined).name;
    return i > 0 && program !== name && rules.programs.includes(program.toLowerCase());
  });
  if (at < 0) return [];
  return [`argument ${at} is the name of an agent's program, but ${JSON.stringify(name)} is what runs here`];
}

function misspelt(name: string, rules: RuleSet): string[] {
  const meant = name === '' ? undefined : nearest(name, rules.programs);
  return meant === undefined || meant === name.toLowerCase()
    ? []
    : [`its program ${JSON.stringify(name)} is nearly ${JSON.stringify(meant)}`];
}
