/** How much a rule matches: every process, or every process that another rule matches. Pure. */
import type { z } from 'zod';
import { covers, isEverything } from './globs.ts';
import type { exceptSchema, Rule } from './schema.ts';

export type Asked = z.infer<typeof exceptSchema>;

/** The conditions of a rule as texts, by their keys. */
export function conditionsIn(asked: Asked): ReadonlyMap<string, readonly string[]> {
  const {
    program,
    path,
    package: npm,
    command,
    option,
    exe,
    comm,
    anyArg,
    dns,
    user,
    cwd,
    env,
    cgroup,
    ancestor,
    cmdline,
  } = asked;
  const connect = asked.connect?.map(({ text }) => text);
  const all = {
    program,
    path,
    package: npm,
    command,
    option,
    runtime: asked.runtime,
    exe,
    comm,
    anyArg,
    dns,
    connect,
    user,
    cwd,
    env,
  };
  return new Map(
    Object.entries({ ...all, cgroup, ancestor, cmdline }).flatMap(([key, texts]) => (texts ? [[key, texts]] : [])),
  );
}

/** Some processes have no value for these, so even `*` does not match every process. */
const NOT_OF_ALL = new Set(['package', 'command', 'option', 'dns', 'connect']);
const RUNTIMES = 5;

/** Conditions that hold for every process, by their keys. */
export function alwaysTrue(asked: Asked): string[] {
  const holds = ([key, texts]: [string, readonly string[]]) => {
    if (NOT_OF_ALL.has(key)) return false;
    if (key === 'runtime') return new Set(texts).size === RUNTIMES;
    return key === 'cmdline' ? texts.length === 1 && texts.every(isEverything) : texts.some(isEverything);
  };
  return [...conditionsIn(asked)].filter(holds).map(([key]) => key);
}

/** Whether `wide` certainly matches every process that `narrow` matches. It compares only the texts of the rules. */
export function matchesAllOf(wide: Rule, narrow: Rule): boolean {
  return !wide.not && alwaysHolding(wide, narrow).length === conditionsIn(wide).size;
}

/** Conditions of `asked` that hold for every process that matches `given`, by their keys. */
export function alwaysHolding(asked: Asked, given: Asked): string[] {
  const always = new Set(alwaysTrue(asked));
  const known = conditionsIn(given);
  const holds = ([key, texts]: [string, readonly string[]]) =>
    always.has(key) || isWithin(key, texts, known.get(key) ?? []);
  return [...conditionsIn(asked)].filter(holds).map(([key]) => key);
}

function isWithin(key: string, wide: readonly string[], narrow: readonly string[]): boolean {
  if (narrow.length === 0) return false;
  if (key === 'option') return narrow.every((one) => wide.includes(one)); // `covers` ignores the case
  if (key === 'cmdline') return wide.length <= narrow.length && wide.every((glob, i) => covers(glob, narrow[i] ?? ''));
  return narrow.every((one) => wide.some((glob) => covers(glob, one)));
}
