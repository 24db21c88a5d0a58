/** Facts and rules -> a decision with its reasons. Pure. */
import { BUILTIN_RULES } from '../config/builtinRules.ts';
import { type Contact, contactName, describeServerName, namesOf } from '../config/contactPattern.ts';
import { globMatcher } from '../config/globs.ts';
import { type Config, type Rule, ruleSchema } from '../config/schema.ts';
import { type EffectiveProgram, effectiveProgram } from './program.ts';
import type { LazyFacts, ProcessFacts } from './sighting.ts';

export type AttachPath = 'cmdline' | 'dns' | 'connection';

export interface CompiledRule {
  readonly id: string;
  readonly name: string;
  readonly action: 'attach' | 'deny';
  /** What tuning writes for this rule's agents, nanoseconds; `off`: never. */
  readonly target: bigint | 'off' | undefined;
  /** What found a process that matches. */
  readonly path: (facts: ProcessFacts) => AttachPath;
  readonly children: Rule['children'];
  /** Why the facts match, one line each; undefined when they do not. Holds no argument of the process: they carry secrets. */
  readonly match: (facts: ProcessFacts & LazyFacts, program: EffectiveProgram) => string[] | undefined;
}

export interface Decided {
  readonly decision: 'attach' | 'deny' | 'ignore';
  readonly rule: CompiledRule | undefined;
  /** What found it. */
  readonly path: AttachPath;
  readonly evidence: readonly string[];
}

export class RuleSet {
  /** Whether any rule is about names that processes ask for. */
  readonly usesDns: boolean;
  readonly #contacts: readonly ((contact: Contact) => boolean)[];
  readonly #asked: (name: string) => string | undefined;
  readonly #connected: (name: string) => string | undefined;
  /** In the order in which they are tried: denials, then the configuration's own, then the built-in ones. */
  readonly rules: readonly CompiledRule[];
  readonly #byId: ReadonlyMap<string, CompiledRule>;

  constructor(rules: readonly Rule[]) {
    const compiled = rules.map(compileRule);
    this.rules = [...compiled.filter((r) => r.action === 'deny'), ...compiled.filter((r) => r.action === 'attach')];
    this.usesDns = rules.some((rule) => rule.dns !== undefined);
    const patterns = rules.flatMap((rule) => rule.connect ?? []);
    this.#contacts = patterns.map(({ matches }) => matches);
    this.#asked = globMatcher(rules.flatMap((rule) => rule.dns ?? []));
    this.#connected = globMatcher(patterns.flatMap(({ text }) => contactName(text) ?? []));
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
export function decide(facts: ProcessFacts & LazyFacts, rules: RuleSet): Decided {
  const program = effectiveProgram(facts.argv, facts.exe);
  for (const rule of rules.rules) {
    const evidence = rule.match(facts, program);
    if (evidence) return { decision: rule.action, rule, path: rule.path(facts), evidence };
  }
  const tried = `${rules.rules.length} rules tried; its program is ${JSON.stringify(program.name)}`;
  return { decision: 'ignore', rule: undefined, path: 'cmdline', evidence: [tried] };
}

type Facts = ProcessFacts & LazyFacts;
type Condition = (facts: Facts, program: EffectiveProgram) => string | undefined;

function compileRule(rule: Rule): CompiledRule {
  const conditions: Condition[] = [];
  const one = (
    what: string,
    globs: readonly string[] | undefined,
    text: (f: ProcessFacts, p: EffectiveProgram) => string | undefined,
  ) => {
    if (!globs) return;
    const match = globMatcher(globs);
    conditions.push((facts, program) => {
      const value = text(facts, program);
      const glob = value === undefined ? undefined : match(value);
      return glob === undefined ? undefined : `${what} ${JSON.stringify(value)} matches ${JSON.stringify(glob)}`;
    });
  };
  /** Of several values any may match. */
  const some = (what: string, globs: readonly string[] | undefined, values: (f: Facts) => readonly string[]) => {
    if (!globs) return;
    const match = globMatcher(globs);
    conditions.push((facts) => {
      const value = values(facts).find((v) => match(v) !== undefined);
      return value === undefined
        ? undefined
        : `${what} ${JSON.stringify(value)} matches ${JSON.stringify(match(value))}`;
    });
  };
  one('program', rule.program, (_, program) => program.name);
  one('package', rule.package, (_, program) => program.package);
  one('executable', rule.exe, (facts) => facts.exe);
  one('comm', rule.comm, (facts) => facts.comm);
  if (rule.cmdline) conditions.push(positional(rule.cmdline));
  if (rule.anyArg) conditions.push(anyArgument(rule.anyArg));
  if (rule.dns) conditions.push(askedFor(rule.dns));
  if (rule.connect) conditions.push(connectedTo(rule.connect));
  some('user', rule.user, (facts) => facts.users());
  some('working directory', rule.cwd, (facts) => [facts.cwd() ?? '']);
  some('environment variable', rule.env, (facts) => facts.env());
  some('control group', rule.cgroup, (facts) => facts.cgroups());
  some('parent program', rule.ancestor, (facts) => facts.ancestors());
  return {
    id: rule.id,
    name: rule.name ?? rule.id,
    action: rule.action,
    target: rule.optimizeTimerSlack,
    children: rule.children,
    path: pathOf(rule),
    match: (facts, program) => {
      const evidence: string[] = [];
      for (const condition of conditions) {
        const line = condition(facts, program);
        if (line === undefined) return undefined;
        evidence.push(line);
      }
      return evidence;
    },
  };
}

function positional(globs: readonly string[]): Condition {
  const matchers = globs.map((glob) => globMatcher([glob]));
  return ({ argv }) => {
    const all = argv.length >= matchers.length && matchers.every((match, i) => match(argv[i] ?? '') !== undefined);
    return all ? `the first ${globs.length} arguments match ${JSON.stringify(globs)}` : undefined;
  };
}

function anyArgument(globs: readonly string[]): Condition {
  const match = globMatcher(globs);
  return ({ argv }) => {
    const i = argv.findIndex((argument) => match(argument) !== undefined);
    return i < 0 ? undefined : `argument ${i} matches ${JSON.stringify(match(argv[i] ?? ''))}`;
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

function askedFor(globs: readonly string[]): Condition {
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

function connectedTo(patterns: NonNullable<Rule['connect']>): Condition {
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
