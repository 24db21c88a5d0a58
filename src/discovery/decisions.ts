/** What was decided of each process, why, and for how long that is kept. */
import { type Contact, namesOf } from '../config/contactPattern.ts';
import { epochMsOfTicks } from '../proc/clock.ts';
import { cmdlineOf } from '../proc/cmdline.ts';
import { isGone, LazyHandle, type ProcHandle } from '../proc/handle.ts';
import { eachProcess } from '../proc/processes.ts';
import { MOST_OF_A_NAME, printable } from '../util/printable.ts';
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
import type { Seen } from './sighting.ts';
import type { Verdict } from './verdict.ts';

/** A process that `taut run` has started and handed over: an agent by its word, as if the operator had named it here. */
export interface Adopted {
  readonly pid: number;
  readonly startTicks: number;
  /** What it will run; at first it is what holds it. */
  readonly command: readonly string[];
  /** What it is to be tuned to, by the knob's id; empty: not. */
  readonly targets: ReadonlyMap<string, bigint>;
}

export interface Explanation {
  /** Undefined: nothing was decided. */
  readonly kept: LoggedDecision | undefined;
  readonly near: readonly string[];
}

/** The rule of a process that is an agent because somebody said so. */
const BY_NAME = 'pid';
/** To which the kernel rounds a start time, and a little for the clocks. */
const TICK_MS = 20;

export class Decisions {
  #rules: RuleSet;
  readonly #names = new ProcessNotes<string>();
  readonly #contacts = new ProcessNotes<Contact>();
  readonly #kept = new DecisionLog();
  readonly #adopted = new Map<number, Adopted>();
  readonly #dnsServers: DnsServers;

  /** That resolvers listen on. */
  readonly dnsPorts: readonly number[];

  /** @param dnsPorts that resolvers listen on. */
  constructor(rules: RuleSet, dnsPorts: readonly number[] = []) {
    this.#rules = rules;
    this.dnsPorts = dnsPorts;
    this.#dnsServers = new DnsServers(dnsPorts);
  }

  /**
   * Decides what a process is, or was when it was seen if that says with which command line, and keeps it with what was
   * seen, for `explain`. Opens it only when more is asked for.
   */
  decide(process: LazyHandle, scope: Scope, seen: Seen): Verdict {
    const adopted = this.#adoptedAs(process);
    const given = adopted ? cmdlineOf(adopted.command) : givenCmdline(scope, process.id);
    const verdict = this.#verdict(this.#facts(process, given ?? seen.cmdline), scope);
    this.#kept.keep(verdict, seen);
    return verdict;
  }

  /** That process is an agent from now on, until it is forgotten. */
  adopt(process: Adopted): void {
    this.#adopted.set(process.pid, process);
  }

  /** Not another process, to which its id was given since. */
  #adoptedAs(process: LazyHandle): Adopted | undefined {
    const adopted = this.#adopted.get(process.id);
    if (!adopted || process.get().stat().startTicks === adopted.startTicks) return adopted;
    this.#adopted.delete(process.id);
    return undefined;
  }

  /** What was asked for of a process that was handed over, in the knob's unit. A rule that names it is asked before. */
  asked(pid: number, ruleId: string, knob: string): bigint | 'off' | undefined {
    const adopted = this.#adopted.get(pid);
    return adopted && (adopted.targets.get(knob) ?? (ruleId === BY_NAME ? 'off' : undefined));
  }

  /** Another word has the last say: its parent's rule. */
  amend(verdict: Verdict): void {
    this.#kept.amend(verdict);
  }

  /**
   * Notes what the network saw of a process, if a rule is about that; not of a process that serves DNS, which asks and
   * connects for others. @returns whether that may change what it is.
   */
  note(process: ProcHandle, sighting: NetworkSighting): boolean {
    const { id } = process;
    const { startTicks } = sighting;
    if (sighting.kind === 'name') {
      const { name } = sighting;
      if (!this.#rules.wantsQuestion(name) || this.#names.has(id, startTicks, name)) return false;
      return !this.#dnsServers.has(id, startTicks) && this.#names.note(id, startTicks, name, name);
    }
    const { contact } = sighting;
    const key = `${contact.address} ${contact.port} ${namesOf(contact)}`;
    if (!this.#rules.wantsContact(contact) || this.#contacts.has(id, startTicks, key)) return false;
    return !this.#dnsServers.has(id, startTicks) && this.#contacts.note(id, startTicks, key, contact);
  }

  /** What was decided of a process that a rule names. */
  named(pid: number): LoggedDecision | undefined {
    const kept = this.#kept.of(pid);
    return kept?.verdict.decision === 'ignore' ? undefined : kept;
  }

  /** All that is known of a process, with the rules that came near where none names it. */
  explain(pid: number): Explanation {
    const named = this.named(pid);
    if (named) return { kept: named, near: [] };
    const kept = this.#kept.of(pid);
    try {
      using process = new LazyHandle(pid);
      const near = nearMisses(this.#facts(process), this.#rules);
      // One that was forked since has an id that was another's, and no decision of its own.
      const isOther = epochMsOfTicks(process.get().stat().startTicks) - (kept?.sightings.at(-1)?.lastMs ?? 0) > TICK_MS;
      return { kept: isOther ? undefined : kept, near };
    } catch (error) {
      if (isGone(error)) return { kept, near: [] };
      throw error;
    }
  }

  /** The newest decisions that are still kept, newest first; those on processes that no rule names are left out. */
  last(n: number): LoggedDecision[] {
    return this.#kept.last(n);
  }

  /** Decisions on processes that live on, for which there was no room. */
  get dropped(): number {
    return this.#kept.dropped;
  }

  /** What processes are held against. */
  get rules(): RuleSet {
    return this.#rules;
  }

  /** Holds processes against other rules from now on. What was decided stays until it is decided anew. */
  use(rules: RuleSet): void {
    this.#rules = rules;
  }

  forget(pid: number): void {
    this.#adopted.delete(pid);
    this.#kept.forget(pid);
  }

  /** Which children of a rule's agents are agents. */
  children(id: string): 'match' | 'all' | 'none' {
    return this.#rules.rule(id)?.children ?? 'match';
  }

  /** What a rule asks for of the knob with this option, in the knob's unit. */
  ruleTarget(id: string, option: string): bigint | 'off' | undefined {
    return this.#rules.rule(id)?.targets.get(option);
  }

  /** Whether what a child is may depend on its parent's rule. */
  get childrenMatter(): boolean {
    return this.#rules.childrenMatter;
  }

  /** The ids of every process in scope; gives way to other work every few milliseconds. */
  async *processes(scope: Scope): AsyncGenerator<number> {
    if (scope.kind === 'pids') return yield* scope.pids;
    for await (const pid of eachProcess()) if (pid !== process.pid && inScope(scope, pid)) yield pid;
  }

  /** A start time is read only where something was noted: most processes have nothing. */
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
    const { decision, rule, path, evidence, lost } = decide(facts, this.#rules);
    // A denial wins over the operator's word, too: whoever wrote it meant every path.
    const isAdopted = decision === 'ignore' && this.#adopted.has(pid);
    if (decision !== 'deny' && (isNamed(scope, pid) || isAdopted)) {
      // What it calls itself goes where a rule's name goes: into logs, tables and telemetry.
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
    };
  }
}
