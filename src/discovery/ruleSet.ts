/** Rules, compiled and in the order in which they are tried. Pure. */
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

export class RuleSet {
  /** Whether any rule is about names that processes ask for. */
  readonly usesDns: boolean;
  /** Whether what a child is may depend on its parent's rule. */
  readonly childrenMatter: boolean;
  readonly #contacts: readonly ((contact: Contact) => boolean)[];
  /** Names of programs that rules attach to, in lower case, without those that hold a glob. */
  readonly programs: readonly string[];
  readonly #asked: (name: string) => string | undefined;
  readonly #connected: (name: string) => string | undefined;
  /** In the order in which they are tried: denials, then the configuration's own, then the built-in ones. */
  readonly rules: readonly CompiledRule[];
  readonly #byId: ReadonlyMap<string, CompiledRule>;
  /** Most rules name their programs or packages, and most processes are none of these. In lower case. */
  readonly #byProgram = new Map<string, CompiledRule[]>();
  readonly #byPackage = new Map<string, CompiledRule[]>();
  readonly #anyProgram: CompiledRule[] = [];

  constructor(rules: readonly Rule[]) {
    const compiled = rules.map(compileRule);
    this.rules = [...compiled.filter((r) => r.action === 'deny'), ...compiled.filter((r) => r.action === 'attach')];
    const asked = rules.flatMap((rule) => [rule, ...(rule.not ? [rule.not] : [])]);
    const patterns = asked.flatMap(({ connect }) => connect ?? []);
    this.childrenMatter = rules.some(({ children }) => children !== 'match');
    this.usesDns = asked.some(({ dns }) => dns !== undefined);
    this.#contacts = patterns.map(({ matches }) => matches);
    this.#asked = globMatcher(asked.flatMap(({ dns }) => dns ?? []));
    this.#connected = globMatcher(patterns.flatMap(({ text }) => contactName(text) ?? []));
    const programs = rules.filter(({ action }) => action === 'attach').flatMap(({ program }) => program ?? []);
    this.programs = programs.filter(isLiteral).map((name) => name.toLowerCase());
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

  /** The rules that may match a process with this program, in the order in which they are tried. */
  about({ name, package: npm }: EffectiveProgram): readonly CompiledRule[] {
    const named = this.#byProgram.get(name.toLowerCase());
    const packaged = npm === undefined ? undefined : this.#byPackage.get(npm.toLowerCase());
    if (!named && !packaged) return this.#anyProgram;
    const may = new Set([...(named ?? []), ...(packaged ?? []), ...this.#anyProgram]);
    return this.rules.filter((rule) => may.has(rule));
  }

  rule(id: string): CompiledRule | undefined {
    return this.#byId.get(id);
  }
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
    targets: new Map(rule.optimizeTimerSlack === undefined ? [] : [['optimize-timer-slack', rule.optimizeTimerSlack]]),
    children: rule.children,
    path: pathOf(rule),
    conditions: conditionsOf(rule),
    exceptions: conditionsOf(rule.not ?? {}),
  };
}

/** A listed name that was not asked for was seen on a connection. */
function pathOf({ connect, dns }: Rule): CompiledRule['path'] {
  if (connect || !dns) return () => (connect ? 'connection' : 'cmdline');
  const match = globMatcher(dns);
  return ({ names = [] }) => (names.some((name) => match(name) !== undefined) ? 'dns' : 'connection');
}
