/** What was decided of each process, why, and for how long that is kept. */
import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { ProcHandle } from '../actuator/procHandle.ts';
import type { Contact } from '../config/contactPattern.ts';
import { inScope, isNamed, namedArgv, type Scope } from '../scope.ts';
import { readFacts } from './facts.ts';
import { decide, type RuleSet } from './matcher.ts';
import type { NetworkSighting } from './network/source.ts';
import { ProcessNotes } from './processNotes.ts';
import { effectiveProgram } from './program.ts';
import type { LazyFacts, ProcessFacts } from './sighting.ts';

/** One decision, with what the agent's life needs of its rule. */
export interface Verdict {
  readonly pid: number;
  readonly decision: 'attach' | 'deny' | 'ignore';
  /** The rule that won; `pid` when the operator named the process; empty for `ignore`. */
  readonly ruleId: string;
  readonly name: string;
  readonly attachPath: string;
  readonly executable: string | undefined;
  readonly ruleTarget: bigint | 'off' | undefined;
  readonly evidence: readonly string[];
}

/** How many decisions are kept; the oldest goes. */
const KEPT = 4096;
const SCAN_CHUNK = 200;

/** Under `--descendants tune` a child of an agent is one, by its parent's rule. */
export function descendantOf(
  { rule, name, pid }: { rule: string; name: string; pid: number },
  decided: Verdict,
): Verdict {
  const evidence = [`child of ${name} (${pid})`];
  return { ...decided, decision: 'attach', ruleId: rule, name, attachPath: 'descendant', evidence };
}

export class Decisions {
  #rules: RuleSet;
  readonly #names = new ProcessNotes<string>();
  readonly #contacts = new ProcessNotes<Contact>();
  readonly #kept = new Map<number, Verdict>();

  constructor(rules: RuleSet) {
    this.#rules = rules;
  }

  /** Decides what a process is, and keeps it for `explain`. */
  decide(process: ProcHandle, scope: Scope): Verdict {
    const { startTicks } = process.stat();
    const names = this.#names.of(process.id, startTicks);
    const contacts = this.#contacts.of(process.id, startTicks);
    const verdict = this.#verdict({ ...readFacts(process), names, contacts }, scope);
    this.#kept.delete(verdict.pid);
    this.#kept.set(verdict.pid, verdict);
    if (this.#kept.size > KEPT) for (const oldest of this.#kept.keys()) return this.#drop(oldest, verdict);
    return verdict;
  }

  /** Notes what the network saw of a process. @returns whether that may change what it is. */
  note(process: ProcHandle, sighting: NetworkSighting): boolean {
    const { startTicks } = process.stat();
    if (sighting.kind === 'name') return this.#names.note(process.id, startTicks, sighting.name, sighting.name);
    const { contact } = sighting;
    if (!this.#rules.wantsContact(contact)) return false;
    return this.#contacts.note(process.id, startTicks, `${contact.address} ${contact.port} ${contact.names}`, contact);
  }

  /** The last decision on a process, if it is still kept. */
  of(pid: number): Verdict | undefined {
    return this.#kept.get(pid);
  }

  /** The newest decisions that are still kept, newest first; those on processes that no rule names are left out. */
  last(n: number): Verdict[] {
    const named = [...this.#kept.values()].filter((verdict) => verdict.decision !== 'ignore');
    return named.reverse().slice(0, n);
  }

  /** Holds processes against other rules from now on. What was decided stays until it is decided anew. */
  use(rules: RuleSet): void {
    this.#rules = rules;
  }

  forget(pid: number): void {
    this.#kept.delete(pid);
  }

  /** Which children of a rule's agents are agents. */
  children(id: string): 'match' | 'all' | 'none' {
    return this.#rules.rule(id)?.children ?? 'match';
  }

  /** The target that a rule asks for, nanoseconds. */
  ruleTarget(id: string): bigint | 'off' | undefined {
    return this.#rules.rule(id)?.target;
  }

  /** The ids of every process in scope; gives way to other work every few hundred. */
  async *processes(scope: Scope): AsyncGenerator<number> {
    if (scope.kind === 'pids') return yield* scope.pids;
    let n = 0;
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid === process.pid || !inScope(scope, pid)) continue;
      yield pid;
      if (++n % SCAN_CHUNK === 0) await setImmediate();
    }
  }

  #verdict(facts: ProcessFacts & LazyFacts, scope: Scope): Verdict {
    const { pid } = facts;
    const executable = facts.exe && basename(facts.exe);
    if (isNamed(scope, pid)) {
      const name = effectiveProgram(namedArgv(scope, facts.argv), facts.exe).name || facts.comm;
      const evidence = [`process ${pid} was named by the operator`];
      return {
        pid,
        decision: 'attach',
        ruleId: 'pid',
        name,
        attachPath: 'pid',
        executable,
        ruleTarget: undefined,
        evidence,
      };
    }
    const { decision, rule, path, evidence } = decide(facts, this.#rules);
    return {
      pid,
      decision,
      ruleId: rule?.id ?? '',
      name: rule?.name ?? rule?.id ?? '',
      attachPath: path,
      executable,
      ruleTarget: rule?.target,
      evidence,
    };
  }

  #drop(pid: number, verdict: Verdict): Verdict {
    this.#kept.delete(pid);
    return verdict;
  }
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '');
}
