/** Warns about rules that are allowed but most likely not meant: they match all or none, or never decide. Pure. */
import type { Document } from 'yaml';
import { type Asked, alwaysHolding, alwaysTrue, conditionsIn, matchesAllOf } from './breadth.ts';
import { isEverything } from './globs.ts';
import { type Mistake, positionOfValue } from './mistakes.ts';
import { nearest } from './nearest.ts';
import { neverProblem } from './neverMatches.ts';
import type { Config, Rule } from './schema.ts';

/** Facts from outside the configuration. */
export interface Surroundings {
  /** Names of this host's users; undefined when they are not known. */
  readonly users?: readonly string[] | undefined;
  /** Ids that already have a meaning. */
  readonly takenIds: readonly string[];
}

interface Warning {
  /** Path within the rule. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export function warningsOf({ rules }: Config, document: Document, around: Surroundings): Mistake[] {
  return rules.flatMap((rule, i) => {
    const warnings = [
      ...unmatchable(rule, around),
      ...unmatchable(rule.not ?? {}, around).map(({ path, message }) => ({ path: ['not', ...path], message })),
      ...tooWide(rule),
      ...takenId(rule, around),
      ...shadowed(rule, i, rules),
    ];
    return warnings.map(({ path, message }) => ({
      offset: positionOfValue(['rules', i, ...path], document),
      message,
    }));
  });
}

function unmatchable(asked: Asked, { users }: Surroundings): Warning[] {
  return [...conditionsIn(asked)].flatMap(([key, texts]) =>
    texts.flatMap((text, j) => {
      // The glob with a folder stands beside it: so what was started without one is meant, too.
      if (key === 'path' && texts.some((other) => other.endsWith(`/${text}`))) return [];
      const problem = neverProblem(key, text) ?? (key === 'user' ? unknownUser(text, users) : undefined);
      return problem === undefined ? [] : [{ path: [key, j], message: `${key}: ${problem}` }];
    }),
  );
}

/** A number is always accepted: users of containers have no name on the host. */
function unknownUser(text: string, users: readonly string[] | undefined): string | undefined {
  if (users === undefined || /^\d+$|[*?[]/.test(text)) return undefined;
  if (users.some((user) => user.toLowerCase() === text.toLowerCase())) return undefined;
  const near = nearest(text, users);
  const mend = near ? `did you mean "${near}"?` : 'a user that is known elsewhere is written as a number';
  return `/etc/passwd has no user "${text}"; ${mend}`;
}

function tooWide(rule: Rule): Warning[] {
  const inNot = alwaysHolding(rule.not ?? {}, rule).map((key) => ({
    path: ['not', key],
    message: `not: ${key}: this holds for whatever the rule is about, so the rule matches none`,
  }));
  const always = alwaysTrue(rule);
  const asked = conditionsIn(rule);
  const [only] = asked.keys();
  if (always.length === asked.size && !rule.not)
    return [{ path: [only ?? 'id'], message: `this rule matches every process${CONSEQUENCE[rule.action]}` }];
  if (asked.size === 1 && (only === 'dns' || only === 'connect') && asked.get(only)?.some(isEverything))
    return [...inNot, { path: [only], message: `${only}: this matches every name${CONSEQUENCE[rule.action]}` }];
  const idle = always.map((key) => ({ path: [key], message: `${key}: this holds for every process; leave it out` }));
  return [...inNot, ...idle];
}

const CONSEQUENCE = { attach: ': all of them are agents then', deny: ': none of them is an agent then' } as const;

function takenId({ id }: Rule, { takenIds }: Surroundings): Warning[] {
  return takenIds.includes(id) ? [{ path: ['id'], message: `id: "${id}" has a meaning already; choose another` }] : [];
}

/** Deny rules are tried first, in any position; among the others, the first match decides. */
function shadowed(rule: Rule, at: number, rules: readonly Rule[]): Warning[] {
  if (rule.action === 'deny') return [];
  const before = rules.find((other, i) => (other.action === 'deny' || i < at) && matchesAllOf(other, rule));
  if (!before) return [];
  const does = before.action === 'deny' ? 'denies' : 'stands before it and matches';
  return [
    { path: ['id'], message: `rule "${rule.id}" never decides: rule "${before.id}" ${does} all that it matches` },
  ];
}
