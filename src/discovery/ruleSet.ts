/** The compiled rules, in the order in which they are tried. Pure. */
import { keyOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { isIn } from '../actuator/profiles.ts';
import { BUILTIN_RULES } from '../config/builtinRules.ts';
import { type Contact, contactName } from '../config/contactPattern.ts';
import { globMatcher, isLiteral } from '../config/globs.ts';
import { type Config, type Rule, ruleSchema } from '../config/schema.ts';
import { type Condition, conditionsOf } from './conditions.ts';
import type { EffectiveProgram } from './program.ts';
import type { ProcessFacts } from './sighting.ts';

export type AttachPath = 'cmdline' | 'dns' | 'connection';

export interface CompiledRule {
  readonly asked: Rule;
  readonly id: string;
  readonly name: string;
  readonly action: 'attach' | 'deny';
  /** The targets for this rule's agents, by the knob's option, in the knob's unit; `off`: never tuned. */
  readonly targets: ReadonlyMap<string, bigint | 'off'>;
  /** How a matching process was found. */
  readonly path: (facts: ProcessFacts) => AttachPath;
  readonly children: Rule['children'];
  /** The rule matches if all of these hold … */
  readonly conditions: readonly Condition[];
  /** … and none of these does. */
  readonly exceptions: readonly Condition[];
  /** Whether a process in these control groups can be its agent; undefined when the rule does not ask for any. */
  readonly isPlace: ((cgroups: readonly string[]) => boolean) | undefined;
}

export class RuleSet {
  /** Whether any rule asks about DNS names. */
  readonly usesDns: boolean;
  /** Whether any rule asks about control groups. */
  readonly usesControlGroups: boolean;
  /** Whether any rule says more about children than `match`, so that a parent's rule can decide on its child. */
  readonly childrenMatter: boolean;
  readonly #contacts: readonly ((contact: Contact) => boolean)[];
  /** Names of programs by which rules attach, in lower case; left out are globs, and names that need more evidence. */
  readonly programs: readonly string[];
  readonly #asked: (name: string) => string | undefined;
  readonly #connected: (name: string) => string | undefined;
  /** In the order in which they are tried: denials, then the configuration's rules, then the built-in ones. */
  readonly rules: readonly CompiledRule[];
  readonly #byId: ReadonlyMap<string, CompiledRule>;
  /** Indexes by lower-case name: most rules name programs or packages, so most processes need few rules tried. */
  readonly #byProgram = new Map<string, CompiledRule[]>();
  readonly #byPackage = new Map<string, CompiledRule[]>();
  readonly #anyProgram: CompiledRule[] = [];

  constructor(rules: readonly Rule[]) {
    const compiled = rules.map(compileRule);
    this.rules = [...compiled.filter((r) => r.action === 'deny'), ...compiled.filter((r) => r.action === 'attach')];
    const asked = rules.flatMap((rule) => [rule, ...(rule.not ? [rule.not] : [])]);
    const patterns = asked.flatMap(({ connect }) => connect ?? []);
    this.childrenMatter = rules.some(({ children }) => children !== 'match');
    this.usesControlGroups = compiled.some(({ isPlace }) => isPlace !== undefined);
    this.usesDns = asked.some(({ dns }) => dns !== undefined);
    this.#contacts = patterns.map(({ matches }) => matches);
    this.#asked = globMatcher(asked.flatMap(({ dns }) => dns ?? []));
    this.#connected = globMatcher(patterns.flatMap(({ text }) => contactName(text) ?? []));
    const programs = rules.filter(isByName).flatMap(({ program }) => program ?? []);
    this.programs = [...new Set(programs.filter(isLiteral).map((name) => name.toLowerCase()))];
    this.#byId = new Map(compiled.map((rule) => [rule.id, rule]));
    for (const rule of this.rules) this.#index(rule);
  }

  #index(rule: CompiledRule): void {
    const { program, package: npm } = rule.asked;
    const [index, names] = program?.every(isLiteral)
      ? [this.#byProgram, program]
      : npm?.every(isLiteral)
        ? [this.#byPackage, npm]
        : [undefined, []];
    if (!index) this.#anyProgram.push(rule);
    for (const name of new Set(names.map((n) => n.toLowerCase()))) index?.set(name, [...(index.get(name) ?? []), rule]);
  }

  /** Whether any rule asks about connections. */
  get usesConnections(): boolean {
    return this.#contacts.length > 0;
  }

  /** Whether any rule matches this connection. */
  wantsContact(contact: Contact): boolean {
    const { serverName } = contact;
    if (serverName && this.#asked(serverName.name) !== undefined) return true;
    return this.#contacts.some((matches) => matches(contact));
  }

  /** Whether any rule matches a process that asks for this name. */
  wantsQuestion(name: string): boolean {
    return this.#asked(name) !== undefined;
  }

  /** Whether any rule matches this name, as a DNS question or as the name of a connection. */
  wantsName(name: string): boolean {
    return this.wantsQuestion(name) || this.#connected(name) !== undefined;
  }

  /** The rules that may match a process with this program, in the order in which they are tried. */
  about({ names, packages }: EffectiveProgram): readonly CompiledRule[] {
    const may: CompiledRule[] = [];
    for (const name of names) may.push(...(this.#byProgram.get(name.toLowerCase()) ?? []));
    for (const one of packages) may.push(...(this.#byPackage.get(one.toLowerCase()) ?? []));
    if (may.length === 0) return this.#anyProgram;
    const all = new Set([...may, ...this.#anyProgram]);
    return this.rules.filter((rule) => all.has(rule));
  }

  rule(id: string): CompiledRule | undefined {
    return this.#byId.get(id);
  }
}

/** Whether the program's name is nearly all that an attaching rule asks for. */
function isByName({ action, exe, anyArg, dns, connect, path }: Rule): boolean {
  return action === 'attach' && !exe && !anyArg && !dns && !connect && path?.every((one) => one.includes('/')) !== true;
}

export function compileRules(config: Config): RuleSet {
  const builtin = config.builtin ? BUILTIN_RULES.map((rule) => ruleSchema.parse(rule)) : [];
  return new RuleSet([...config.rules, ...builtin]);
}

function compileRule(rule: Rule): CompiledRule {
  return {
    asked: rule,
    id: rule.id,
    name: rule.name ?? rule.id,
    action: rule.action,
    targets: new Map(
      KNOBS.flatMap((knob) => {
        const isLeftOut = rule.profile === 'off' || (rule.profile !== undefined && !isIn(rule.profile, knob));
        const target = rule[keyOf(knob)] ?? (isLeftOut ? 'off' : undefined);
        return target === undefined ? [] : [[knob.option, target] as const];
      }),
    ),
    children: rule.children,
    path: pathOf(rule),
    conditions: conditionsOf(rule),
    exceptions: conditionsOf(rule.not ?? {}),
    isPlace: placeOf(rule),
  };
}

function placeOf({ cgroup, not }: Rule): CompiledRule['isPlace'] {
  if (!cgroup && !not?.cgroup) return undefined;
  const [asked, excepted] = [globMatcher(cgroup ?? []), globMatcher(not?.cgroup ?? [])];
  const isOneOf = (find: typeof asked, groups: readonly string[]) => groups.some((one) => find(one) !== undefined);
  return (groups) => (!cgroup || isOneOf(asked, groups)) && !isOneOf(excepted, groups);
}

/** For a `dns` rule: if the process did not ask for a listed name, a connection's server name matched. */
function pathOf({ connect, dns }: Rule): CompiledRule['path'] {
  if (connect || !dns) return () => (connect ? 'connection' : 'cmdline');
  const match = globMatcher(dns);
  return ({ names = [] }) => (names.some((name) => match(name) !== undefined) ? 'dns' : 'connection');
}
