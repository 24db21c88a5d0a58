/** Decides on each process, and keeps the decisions with their reasons. */
import type { SpanContext } from '@opentelemetry/api';
import type { RuleGuardrail } from '../config/agentLimits.ts';
import { type Contact, namesOf } from '../config/contactPattern.ts';
import { epochMsOfTicks } from '../proc/clock.ts';
import { cmdlineOf } from '../proc/cmdline.ts';
import { isGone, LazyHandle } from '../proc/handle.ts';
import { eachProcess } from '../proc/processes.ts';
import { MOST_OF_A_NAME, printable } from '../util/printable.ts';
import { type Comparison, compare, factsOfCmdline } from './compare.ts';
import { DecisionLog, type LoggedDecision } from './decisionLog.ts';
import { ProcFacts } from './facts.ts';
import { decide } from './matcher.ts';
import { nearMisses } from './nearMiss.ts';
import { DnsServers } from './network/dnsServers.ts';
import type { NetworkSighting } from './network/sighting.ts';
import { ProcessNotes } from './processNotes.ts';
import { effectiveProgram } from './program.ts';
import type { RuleSet } from './ruleSet.ts';
import { givenCmdline, inScope, isNamed, type Scope } from './scope.ts';
import type { Sighting } from './sighting.ts';
import type { Verdict } from './verdict.ts';

/** A process that `taut run` started and handed over: it is an agent as if the operator had named it here. */
export interface Adopted {
  readonly pid: number;
  readonly startTicks: number;
  /** The command that it will run; until then it runs `native/hold`. */
  readonly command: readonly string[];
  /** The targets by knob id; empty: not tuned. */
  readonly targets: ReadonlyMap<string, bigint>;
  /** The run that started it, where that has a trace. */
  readonly run?: AgentRun | undefined;
}

/** A `taut run`, for the agents in it. */
export interface AgentRun {
  /** Its span. */
  readonly context: SpanContext;
  readonly id: string | undefined;
}

/** A process or a command line, and the id of the rule that is asked about; undefined: all rules. */
export type Compared = { readonly rule?: string | undefined } & (
  | { readonly argv: readonly string[] }
  | { readonly argv?: undefined; readonly pid: number }
);

export interface Explanation {
  /** Undefined: nothing was decided. */
  readonly kept: LoggedDecision | undefined;
  readonly near: readonly string[];
}

/** The rule id of a process that the operator or `taut run` named. */
const BY_NAME = 'pid';
/** A tick (10 ms), to which the kernel rounds start times, plus a margin for the clocks. */
const TICK_MS = 20;

const keyOf = (contact: Contact) => `${contact.address} ${contact.port} ${namesOf(contact)}`;

export class Decisions {
  #rules: RuleSet;
  readonly #names = new ProcessNotes<string>();
  readonly #contacts = new ProcessNotes<Contact>();
  readonly #kept = new DecisionLog();
  readonly #adopted = new Map<number, Adopted>();
  readonly #dnsServers: DnsServers;

  /** The ports that resolvers listen on. */
  readonly dnsPorts: readonly number[];

  /** @param dnsPorts the ports that resolvers listen on. */
  constructor(rules: RuleSet, dnsPorts: readonly number[] = []) {
    this.#rules = rules;
    this.dnsPorts = dnsPorts;
    this.#dnsServers = new DnsServers(dnsPorts);
  }

  /**
   * Decides on a process by its given command line, else by the one in `seen`, else by /proc. Keeps the verdict and the
   * sighting for `explain`. Opens the process only when a rule needs more than that.
   */
  decide(process: LazyHandle, scope: Scope, seen: Sighting): Verdict {
    const adopted = this.#adoptedAs(process);
    const given = adopted ? cmdlineOf(adopted.command) : givenCmdline(scope, process.id);
    const facts = this.#facts(process, given ?? seen.cmdline);
    const verdict = this.#asTold(this.#verdict(facts, scope), facts, seen);
    this.#kept.keep(verdict, seen);
    return verdict;
  }

  /**
   * A program that gives itself a title hides what it was told: `openclaw plugins list` becomes `openclaw`. It goes on doing that
   * until it runs another program.
   */
  #asTold(verdict: Verdict, { pid, argv }: ProcFacts, { source }: Sighting): Verdict {
    const { decision, ruleId, name } = verdict;
    const isTitle = source !== 'exec' && argv.length === 1;
    const besides = isTitle ? this.#kept.of(pid)?.verdict.besides : undefined;
    if (besides === undefined) return verdict;
    if (decision === 'ignore') return { ...verdict, besides };
    if (decision === 'deny' || ruleId === BY_NAME || name !== besides) return verdict;
    const why = `its title is that of ${name}; but it was started to do something else, and has run no other program since`;
    return { ...verdict, decision: 'ignore', ruleId: '', name: '', evidence: [why], lost: [], besides };
  }

  /** Makes the process an agent, until `forget`. */
  adopt(process: Adopted): void {
    this.#adopted.set(process.pid, process);
  }

  /** The adoption of this process; undefined if the adopted one has ended and this one has its id. */
  #adoptedAs(process: LazyHandle): Adopted | undefined {
    const adopted = this.#adopted.get(process.id);
    if (!adopted || process.get().stat().startTicks === adopted.startTicks) return adopted;
    this.#adopted.delete(process.id);
    return undefined;
  }

  /** The target that `taut run` asked for, in the knob's unit (`off`: none); a rule's own target has priority. */
  asked(pid: number, ruleId: string, knob: string): bigint | 'off' | undefined {
    const adopted = this.#adopted.get(pid);
    return adopted && (adopted.targets.get(knob) ?? (ruleId === BY_NAME ? 'off' : undefined));
  }

  /** The run that started this process and handed it over. */
  runOf(pid: number): AgentRun | undefined {
    return this.#adopted.get(pid)?.run;
  }

  /** Replaces the kept verdict after the parent's rule overrode it. */
  amend(verdict: Verdict): void {
    this.#kept.amend(verdict);
  }

  /** Whether a rule asks about what the network saw of a process, and it is not noted yet. Reads nothing. */
  wants(sighting: NetworkSighting): boolean {
    const { pid, startTicks } = sighting;
    if (sighting.kind === 'name')
      return this.#rules.wantsQuestion(sighting.name) && !this.#names.has(pid, startTicks, sighting.name);
    const { contact } = sighting;
    return this.#rules.wantsContact(contact) && !this.#contacts.has(pid, startTicks, keyOf(contact));
  }

  /**
   * Notes what the network saw of a process. Ignores processes that serve DNS: they ask and connect for others.
   * @returns whether the decision on the process may change.
   */
  async note(sighting: NetworkSighting): Promise<boolean> {
    const { pid, startTicks } = sighting;
    if (await this.#dnsServers.has(pid, startTicks)) return false;
    if (sighting.kind === 'name') return this.#names.note(pid, startTicks, sighting.name, sighting.name);
    return this.#contacts.note(pid, startTicks, keyOf(sighting.contact), sighting.contact);
  }

  /** Whether a rule names a process, also one that is no agent all the same. */
  isNamed(pid: number): boolean {
    const { decision, lost } = this.#kept.of(pid)?.verdict ?? {};
    return (decision !== undefined && decision !== 'ignore') || (lost?.length ?? 0) > 0;
  }

  /** The decision on a process that is an agent, or that a rule denies; undefined for all others. */
  named(pid: number): LoggedDecision | undefined {
    const kept = this.#kept.of(pid);
    return kept?.verdict.decision === 'ignore' ? undefined : kept;
  }

  /** Explains the decision on a process; if no rule matched it, adds the rules that nearly did. */
  explain(pid: number): Explanation {
    const named = this.named(pid);
    if (named) return { kept: named, near: [] };
    const kept = this.#kept.of(pid);
    try {
      using process = new LazyHandle(pid);
      const near = nearMisses(this.#facts(process), this.#rules);
      // A process that started after the last sighting has the reused id of another one, and no decision of its own.
      const isOther = epochMsOfTicks(process.get().stat().startTicks) - (kept?.sightings.at(-1)?.lastMs ?? 0) > TICK_MS;
      return { kept: isOther ? undefined : kept, near };
    } catch (error) {
      if (isGone(error)) return { kept, near: [] };
      throw error;
    }
  }

  /** Compares the rules, or one of them, with a command line or a process as it is now; keeps nothing. @throws TautError */
  compare(of: Compared): Comparison {
    if (of.argv) return compare(factsOfCmdline(of.argv), this.#rules, of.rule);
    using process = new LazyHandle(of.pid);
    return compare(this.#facts(process), this.#rules, of.rule);
  }

  /** The `n` newest kept decisions, newest first, without those on processes that no rule matches. */
  last(n: number): LoggedDecision[] {
    return this.#kept.last(n);
  }

  /** How many decisions on living processes were dropped because there was no room. */
  get dropped(): number {
    return this.#kept.dropped;
  }

  /** The rules in use. */
  get rules(): RuleSet {
    return this.#rules;
  }

  /** Uses other rules from now on. Kept decisions stay until their process is decided on again. */
  use(rules: RuleSet): void {
    this.#rules = rules;
  }

  forget(pid: number): void {
    this.#adopted.delete(pid);
    this.#kept.forget(pid);
  }

  /** Whether any rule asks about control groups. */
  get usesControlGroups(): boolean {
    return this.#rules.usesControlGroups;
  }

  /** Whether a process in these control groups can be an agent of a rule; undefined when the rule does not ask for any. */
  placeOf(ruleId: string): ((cgroups: readonly string[]) => boolean) | undefined {
    return this.#rules.rule(ruleId)?.isPlace;
  }

  /** Which children of a rule's agents are agents: those that a rule matches, all, or none. */
  children(id: string): 'match' | 'all' | 'none' {
    return this.#rules.rule(id)?.children ?? 'match';
  }

  /** The target that a rule sets for the knob with this option, in the knob's unit. */
  ruleTarget(id: string, option: string): bigint | 'off' | undefined {
    return this.#rules.rule(id)?.targets.get(option);
  }

  /** What a rule says of the guardrail of its agents. */
  guardrail(id: string): RuleGuardrail | undefined {
    return this.#rules.rule(id)?.asked.guardrail;
  }

  /** Whether any rule says more about children than `match`, so that a parent's rule can decide on its child. */
  get childrenMatter(): boolean {
    return this.#rules.childrenMatter;
  }

  /** The ids of every process in scope; lets other work run every few milliseconds. */
  async *processes(scope: Scope): AsyncGenerator<number> {
    if (scope.kind === 'pids') return yield* scope.pids;
    for await (const pid of eachProcess()) if (pid !== process.pid && inScope(scope, pid)) yield pid;
  }

  /** The facts with the network's notes. Reads the start time only if there are notes, which few processes have. */
  #facts(process: LazyHandle, cmdline?: string): ProcFacts {
    const { id } = process;
    const facts = new ProcFacts(process, cmdline);
    if (!this.#names.knows(id) && !this.#contacts.knows(id)) return facts;
    const { startTicks } = process.get().stat();
    facts.names = this.#names.of(id, startTicks);
    facts.contacts = this.#contacts.of(id, startTicks);
    return facts;
  }

  #verdict(facts: ProcFacts, scope: Scope): Verdict {
    const { pid } = facts;
    const { decision, rule, path, evidence, lost, besides } = decide(facts, this.#rules);
    // A denial has priority over the operator's naming, too: its author meant every way to become an agent.
    const isAdopted = decision === 'ignore' && this.#adopted.has(pid);
    if (decision !== 'deny' && (isNamed(scope, pid) || isAdopted)) {
      // The process chose this name itself, and it goes into logs, tables and telemetry: so it is made printable.
      const itself = effectiveProgram(facts.argv, () => facts.exe).name || facts.comm;
      const name = rule?.name ?? printable(itself, MOST_OF_A_NAME);
      const named = { pid, decision: 'attach', ruleId: BY_NAME, name, attachPath: 'pid' } as const;
      const by = isAdopted ? 'the taut run that started it' : 'the operator';
      return { ...named, evidence: [`process ${pid} was named by ${by}`], lost: [] };
    }
    return {
      pid,
      decision,
      ruleId: rule?.id ?? '',
      name: rule?.name ?? rule?.id ?? '',
      attachPath: path,
      evidence,
      lost,
      ...(besides === undefined ? {} : { besides }),
    };
  }
}
