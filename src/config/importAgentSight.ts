/** An AgentSight configuration as one of ours, with the same meaning; and what of it has none here. Pure. */
import { z } from 'zod';
import { contactMatcher } from './contactPattern.ts';
import type { RuleInput } from './schema.ts';

const rule = z.looseObject({ rule: z.array(z.string().min(1)).min(1), agent_name: z.string().optional() });
const agentSight = z.looseObject({
  cmdline: z.looseObject({ allow: z.array(rule).default([]), deny: z.array(rule).default([]) }).optional(),
  https: z.array(rule).default([]),
  http: z.array(rule).default([]),
});

const CONVERTED = new Set(['cmdline', 'https', 'http', 'schema_version']);

export interface Imported {
  readonly config: { readonly version: 1; readonly builtin: false; readonly rules: readonly RuleInput[] };
  /** What was left out, each with why. */
  readonly leftOut: readonly string[];
}

/**
 * `cmdline` becomes positional globs, `https` names that are asked of DNS, `http` addresses and ports (or names). The
 * built-in rules are off, as AgentSight's file replaces its own.
 * @throws z.ZodError where it is no AgentSight configuration.
 */
export function importAgentSight(document: unknown): Imported {
  const source = agentSight.parse(document);
  const leftOut = Object.keys(source)
    .filter((key) => !CONVERTED.has(key))
    .map((key) => `${key}: is about AgentSight itself, and has no meaning here`);
  const rules: RuleInput[] = [];
  const deny = source.cmdline?.deny ?? [];
  const allow = source.cmdline?.allow ?? [];
  for (const [i, entry] of deny.entries()) rules.push({ id: `deny-${i + 1}`, action: 'deny', cmdline: entry.rule });
  for (const [i, entry] of allow.entries())
    rules.push({ id: `allow-${i + 1}`, ...(entry.agent_name ? { name: entry.agent_name } : {}), cmdline: entry.rule });
  for (const [i, entry] of source.https.entries()) rules.push({ id: `https-${i + 1}`, dns: entry.rule });
  for (const [i, entry] of source.http.entries()) {
    const id = `http-${i + 1}`;
    const good = entry.rule.filter((target) => {
      const problem = problemOf(target);
      if (problem) leftOut.push(`http[${i}]: ${problem}`);
      return !problem;
    });
    const addresses = good.filter(isAddress);
    const names = good.filter((target) => !isAddress(target));
    if (addresses.length > 0) rules.push({ id, connect: addresses });
    if (names.length > 0) rules.push({ id: addresses.length > 0 ? `${id}-names` : id, dns: names });
  }
  return { config: { version: 1, builtin: false, rules }, leftOut };
}

/** `1.2.3.4`, `1.2.3.4:80`, `:8080`; anything else is a name. */
function isAddress(target: string): boolean {
  return /^(\d+\.\d+\.\d+\.\d+(\/\d+)?)?(:\d+)?$/.test(target) || target.startsWith('[');
}

function problemOf(target: string): string | undefined {
  try {
    contactMatcher(target);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
