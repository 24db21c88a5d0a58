/** Facts and rules -> a decision with its reasons. Pure. */
import type { z } from 'zod';
import { BUILTIN_RULES } from '../config/builtinRules.ts';
import { type Contact, contactName, describeServerName, namesOf } from '../config/contactPattern.ts';
import { globMatcher } from '../config/globs.ts';
import { type Config, type exceptSchema, type Rule, ruleSchema } from '../config/schema.ts';
import { type EffectiveProgram, effectiveProgram } from './program.ts';
import type { LazyFacts, ProcessFacts } from './sighting.ts';

export type AttachPath = 'cmdline' | 'dns' | 'connection';

export interface CompiledRule {
  readonly id: string;
  readonly name: string;
  readonly action: 'attach' | 'deny';
  /** What tuning writes for this rule's agents, by the option of the knob, in its unit; `off`: never. */
  readonly targets: ReadonlyMap<string, bigint | 'off'>;
  /** What found a process that matches. */
  readonly path: (facts: ProcessFacts) => AttachPath;
  readonly children: Rule['children'];
  /** All must hold. */
  readonly conditions: readonly Condition[];
  /** Of these none may. */
  readonly exceptions: readonly Condition[];
}

export interface Condition {
  /** What it is about: `program`, `user` … */
  readonly what: string;
  /** Why it holds, in a line; undefined when it does not. Holds no argument of the process: they carry secrets. */
  readonly holds: (facts: Facts, program: EffectiveProgram) => string | undefined;
}

/** A rule that names the process as well, and did not decide. */
export interface LostRule {
  readonly rule: string;
  readonly action: 'attach' | 'deny';
  readonly evidence: readonly string[];
  readonly why: string;
}

export interface Decided {
  readonly decision: 'attach' | 'deny' | 'ignore';
  readonly rule: CompiledRule | undefined;
  /** What found it. */
  readonly path: AttachPath;
  readonly evidence: readonly string[];
  readonly lost: readonly LostRule[];
}

export class RuleSet {
  /** Whether any rule is about names that processes ask for. */
  readonly usesDns: boolean;
  readonly #contacts: readonly ((contact: Contact) => boolean)[];
  /** Names of programs that rules attach to, in lower case, without those that hold a glob. */
  readonly programs: readonly string[];
  readonly #asked: (name: string) => string | undefined;
  readonly #connected: (name: string) => string | undefined;
  /** In the order in which they are tried: denials, then the configuration's own, then the built-in ones. */
  readonly rules: readonly CompiledRule[];
  readonly #byId: ReadonlyMap<string, CompiledRule>;

  constructor(rules: readonly Rule[]) {
    const compiled = rules.map(compileRule);
    this.rules = [...compiled.filter((r) => r.action === 'deny'), ...compiled.filter((r) => r.action === 'attach')];
    const asked = rules.flatMap((rule) => [rule, ...(rule.not ? [rule.not] : [])]);
    const patterns = asked.flatMap(({ connect }) => connect ?? []);
    this.usesDns = asked.some(({ dns }) => dns !== undefined);
    this.#contacts = patterns.map(({ matches }) => matches);
    this.#asked = globMatcher(asked.flatMap(({ dns }) => dns ?? []));
    this.#connected = globMatcher(patterns.flatMap(({ text }) => contactName(text) ?? []));
    const programs = rules.filter(({ action }) => action === 'attach').flatMap(({ program }) => program ?? []);
    this.programs = programs.filter((glob) => !/[*?[]/.test(glob)).map((name) => name.toLowerCase());
    this.#byId = new Map(compiled.map((rule) => [rule.id, rule]));
  }

  /** Whether any rule is about connections. */
  get usesConnections(): boolean {
    return this.#contacts.length > 0;
  }

  /** Whether any rule is about this one. */
  wantsContact(contact: Contact): boolean {
    const { serverName } = contact;
    if (serverName && this.#asked(serverName.name) !== undefined) return true;
    return this.#contacts.some((matches) => matches(contact));
  }

  /** Whether what a child is may depend on its parent's rule. */
  get childrenMatter(): boolean {
    return this.rules.some(({ children }) => children !== 'match');
  }

  /** Whether any rule is about a process that asks for this name. */
  wantsQuestion(name: string): boolean {
    return this.#asked(name) !== undefined;
  }

  /** Whether any rule is about this name, asked for or connected to. */
  wantsName(name: string): boolean {
    return this.wantsQuestion(name) || this.#connected(name) !== undefined;
  }

  rule(id: string): CompiledRule | undefined {
    return this.#byId.get(id);
  }
}

export function compileRules(config: Config): RuleSet {
  const builtin = config.builtin ? BUILTIN_RULES.map((rule) => ruleSchema.parse(rule)) : [];
  return new RuleSet([...config.rules, ...builtin]);
}

/** The lazy facts of what is no process: of a command line alone. */
export const NO_PROCESS: LazyFacts = {
  users: () => [],
  cwd: () => undefined,
  env: () => [],
  cgroups: () => [],
  ancestors: () => [],
};

/** Holds a process against the rules. A denial wins over everything; of the others the first that matches. */
export function decide(facts: Facts, rules: RuleSet): Decided {
  const program = effectiveProgram(facts.argv, () => facts.exe);
  for (const [i, rule] of rules.rules.entries()) {
    const evidence = match(rule, facts, program);
    if (!evidence) continue;
    const lost = rules.rules.slice(i + 1).flatMap((other) => lostTo(rule, other, facts, program));
    return { decision: rule.action, rule, path: rule.path(facts), evidence, lost };
  }
  const tried = `${rules.rules.length} rules tried; its program is ${JSON.stringify(program.name)}`;
  return { decision: 'ignore', rule: undefined, path: 'cmdline', evidence: [tried], lost: [] };
}

/** Why a rule matches, a line for each condition; undefined when it does not. */
function match(rule: CompiledRule, facts: Facts, program: EffectiveProgram): string[] | undefined {
  const evidence: string[] = [];
  for (const { holds } of rule.conditions) {
    const line = holds(facts, program);
    if (line === undefined) return undefined;
    evidence.push(line);
  }
  return rule.exceptions.some(({ holds }) => holds(facts, program) !== undefined) ? undefined : evidence;
}

function lostTo(winner: CompiledRule, rule: CompiledRule, facts: Facts, program: EffectiveProgram): LostRule[] {
  const evidence = match(rule, facts, program);
  if (!evidence) return [];
  const why =
    winner.action === 'deny' && rule.action === 'attach' ? `${winner.id} denies it` : `${winner.id} stands before it`;
  return [{ rule: rule.id, action: rule.action, evidence, why }];
}

export type Facts = ProcessFacts & LazyFacts;

function compileRule(rule: Rule): CompiledRule {
  return {
    id: rule.id,
    name: rule.name ?? rule.id,
    action: rule.action,
    targets: new Map(rule.optimizeTimerSlack === undefined ? [] : [['optimize-timer-slack', rule.optimizeTimerSlack]]),
    children: rule.children,
    path: pathOf(rule),
    conditions: conditionsOf(rule),
    exceptions: conditionsOf(rule.not ?? {}),
  };
}

function conditionsOf(asked: z.infer<typeof exceptSchema>): Condition[] {
  const conditions: Condition[] = [];
  const one = (
    what: string,
    globs: readonly string[] | undefined,
    text: (f: ProcessFacts, p: EffectiveProgram) => string | undefined,
  ) => {
    if (!globs) return;
    const find = globMatcher(globs);
    const holds = (facts: Facts, program: EffectiveProgram) => {
      const value = text(facts, program);
      const glob = value === undefined ? undefined : find(value);
      return glob === undefined ? undefined : `${what} ${JSON.stringify(value)} matches ${JSON.stringify(glob)}`;
    };
    conditions.push({ what, holds });
  };
  /** Of several values any may match. */
  const some = (what: string, globs: readonly string[] | undefined, values: (f: Facts) => readonly string[]) => {
    if (!globs) return;
    const find = globMatcher(globs);
    const holds = (facts: Facts) => {
      const value = values(facts).find((v) => find(v) !== undefined);
      return value === undefined
        ? undefined
        : `${what} ${JSON.stringify(value)} matches ${JSON.stringify(find(value))}`;
    };
    conditions.push({ what, holds });
  };
  one('program', asked.program, (_, program) => program.name);
  one('package', asked.package, (_, program) => program.package);
  if (asked.path) conditions.push({ what: 'path', holds: programPath(asked.path) });
  if (asked.cmdline) conditions.push({ what: 'command line', holds: positional(asked.cmdline) });
  if (asked.anyArg) conditions.push({ what: 'arguments', holds: anyArgument(asked.anyArg) });
  if (asked.dns) conditions.push({ what: 'names asked for', holds: askedFor(asked.dns) });
  if (asked.connect) conditions.push({ what: 'connections', holds: connectedTo(asked.connect) });
  // What has to be read comes after what is known.
  one('runtime', asked.runtime, (_, program) => program.interpreter ?? 'native');
  one('executable', asked.exe, (facts) => facts.exe);
  one('comm', asked.comm, (facts) => facts.comm);
  some('user', asked.user, (facts) => facts.users());
  some('working directory', asked.cwd, (facts) => [facts.cwd() ?? '']);
  some('environment variable', asked.env, (facts) => facts.env());
  some('control group', asked.cgroup, (facts) => facts.cgroups());
  some('parent program', asked.ancestor, (facts) => facts.ancestors());
  return conditions;
}

function positional(globs: readonly string[]): Condition['holds'] {
  const matchers = globs.map((glob) => globMatcher([glob]));
  return ({ argv }) => {
    const all = argv.length >= matchers.length && matchers.every((match, i) => match(argv[i] ?? '') !== undefined);
    return all ? `the first ${globs.length} arguments match ${JSON.stringify(globs)}` : undefined;
  };
}

function programPath(globs: readonly string[]): Condition['holds'] {
  const find = globMatcher(globs);
  return (_, { path }) => {
    const glob = find(path);
    return glob === undefined ? undefined : `the program's path matches ${JSON.stringify(glob)}`;
  };
}

function anyArgument(globs: readonly string[]): Condition['holds'] {
  const find = globMatcher(globs);
  return ({ argv }) => {
    const i = argv.findIndex((argument) => find(argument) !== undefined);
    return i < 0 ? undefined : `argument ${i} matches ${JSON.stringify(find(argv[i] ?? ''))}`;
  };
}

/** A listed name that was not asked for was seen on a connection. */
function pathOf({ connect, dns }: Rule): CompiledRule['path'] {
  if (connect || !dns) return () => (connect ? 'connection' : 'cmdline');
  const match = globMatcher(dns);
  return ({ names = [] }) => (names.some((name) => match(name) !== undefined) ? 'dns' : 'connection');
}

/**
 * They ask for others: a question that they hand on is not their own. Most show by the port that they serve (`DnsServers`);
 * these also where they don't: behind a Unix socket (nscd), address translation (Docker) or a guest's network stack.
 */
const RESOLVERS = new Set(
  (
    'systemd-resolved systemd-resolve nscd dnsmasq unbound named pdns_recursor kresd coredns nsncd stubby dnscrypt-proxy ' +
    'dockerd aardvark-dns slirp4netns passt pasta gvproxy avahi-daemon'
  ).split(' '),
);

function askedFor(globs: readonly string[]): Condition['holds'] {
  const match = globMatcher(globs);
  return ({ names = [], contacts = [] }, program) => {
    if (RESOLVERS.has(program.name)) return undefined;
    const name = names.find((asked) => match(asked) !== undefined);
    if (name !== undefined) return `asked for ${name}, which matches ${JSON.stringify(match(name))}`;
    for (const { serverName } of contacts) {
      const glob = serverName && match(serverName.name);
      if (serverName && glob !== undefined)
        return `${describeServerName(serverName)}, which matches ${JSON.stringify(glob)}`;
    }
    return undefined;
  };
}

function connectedTo(patterns: NonNullable<Rule['connect']>): Condition['holds'] {
  return ({ contacts = [] }, program) => {
    if (RESOLVERS.has(program.name)) return undefined;
    for (const { text, matches } of patterns) {
      const contact = contacts.find(matches);
      if (!contact) continue;
      const { serverName, address, port } = contact;
      // The server name is the reason only where the addresses' names are none.
      const bySni = serverName && contactName(text) !== undefined && !matches({ address, port, names: contact.names });
      const whom = bySni ? describeServerName(serverName) : `connected to ${namesOf(contact)[0] ?? address}`;
      return `${whom} port ${port}, which matches ${JSON.stringify(text)}`;
    }
    return undefined;
  };
}
