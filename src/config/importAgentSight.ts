/** Converts an AgentSight configuration to taut's, with the same meaning, and lists what taut can't express. Pure. */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { contactMatcher } from './contactPattern.ts';
import type { RuleInput } from './schema.ts';

const rule = z.looseObject({ rule: z.array(z.string()), agent_name: z.string().nullish() });
const list = z
  .array(rule)
  .nullish()
  .transform((rules) => rules ?? []);
const agentSight = z.looseObject({
  cmdline: z.looseObject({ allow: list, deny: list }).nullish(),
  https: list,
  // The first name of `https`.
  domain: list,
  http: list,
});

const CONVERTED = new Set(['cmdline', 'https', 'domain', 'http', 'schema_version']);

export interface Imported {
  readonly config: { readonly version: 1; readonly builtin: false; readonly rules: readonly RuleInput[] };
  /** What was left out, each with the reason. */
  readonly leftOut: readonly string[];
}

/**
 * `cmdline` becomes positional globs, `https` DNS names, `http` addresses and ports (or names). The built-in rules are
 * off, because AgentSight's file replaces its own built-in rules.
 * @throws z.ZodError when the document is no AgentSight configuration.
 */
export function importAgentSight(document: unknown): Imported {
  const source = agentSight.parse(document);
  const leftOut = Object.keys(source)
    .filter((key) => !CONVERTED.has(key))
    .map((key) => `${key}: is about AgentSight itself, and has no meaning here`);
  const rules: RuleInput[] = [];
  /** The usable globs of a list, in taut's syntax. */
  const usable = (where: string, globs: readonly string[], problem: (glob: string) => string | undefined): string[] =>
    globs.flatMap((glob) => {
      const wrong = problem(glob);
      if (wrong) leftOut.push(`${where}: ${wrong}`);
      return wrong ? [] : [glob === '**' ? '*' : glob];
    });

  for (const action of ['deny', 'allow'] as const)
    for (const [i, { rule: globs, agent_name }] of (source.cmdline?.[action] ?? []).entries()) {
      const where = `cmdline.${action}[${i}]`;
      const cmdline = usable(where, globs, globProblem);
      if (globs.length === 0) leftOut.push(`${where}: an empty rule never matches`);
      // All positions must match: without one of its globs the rule would have another meaning.
      if (cmdline.length < globs.length || globs.length === 0) continue;
      const id = `${action}-${i + 1}`;
      rules.push(
        action === 'deny' ? { id, action, cmdline } : { id, ...(agent_name ? { name: agent_name } : {}), cmdline },
      );
    }
  for (const [i, { rule: globs }] of [...source.https, ...source.domain].entries()) {
    const dns = usable(`https[${i}]`, globs, globProblem);
    if (dns.length > 0) rules.push({ id: `https-${i + 1}`, dns });
  }
  for (const [i, { rule: targets }] of source.http.entries()) {
    const id = `http-${i + 1}`;
    const good = usable(
      `http[${i}]`,
      targets.map((target) => target.trim()),
      targetProblem,
    );
    const connect = good.filter(isEndpoint);
    const dns = good.filter((target) => !isEndpoint(target));
    if (connect.length > 0) rules.push({ id, connect });
    if (dns.length > 0) rules.push({ id: connect.length > 0 ? `${id}-names` : id, dns });
  }
  return { config: { version: 1, builtin: false, rules }, leftOut };
}

/** `1.2.3.4`, `1.2.3.4:80`, `:8080`; for AgentSight anything else is a name. */
function isEndpoint(target: string): boolean {
  const [address = '', port, ...more] = target.split(':');
  return more.length === 0 && (isIPv4(address) || (address === '' && port !== undefined));
}

function targetProblem(target: string): string | undefined {
  if (!isEndpoint(target)) {
    const isName = /^[\w*?.[\]!-]+$/.test(target);
    return isName ? globProblem(target) : `"${target}" is no IPv4 address, port or name, and never matches`;
  }
  try {
    contactMatcher(target);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** AgentSight's globs are path globs. One that is invalid there never matches there, so it must not match here. */
function globProblem(glob: string): string | undefined {
  if (glob === '') return 'an empty pattern never matches';
  const plain = glob.replace(/\[!?.[^\]]*\]/gu, '');
  if (plain.includes('[')) return `"${glob}" has an open bracket, and never matches`;
  if (plain === '**' || !plain.includes('**')) return undefined;
  const isFolders = !plain.includes('***') && plain.split('/').every((part) => part === '**' || !part.includes('**'));
  return isFolders
    ? `"${glob}" is about folders ("**/"), which arguments do not have here`
    : `"${glob}" has a "**" that is no folder, and never matches`;
}
