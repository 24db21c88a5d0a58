/** What was decided of each process, why, and for how long that is kept. */
import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { ProcHandle } from '../actuator/procHandle.ts';
import { effectiveProgram } from './program.ts';
import { decide, type RuleSet } from './matcher.ts';
import { inScope, isNamed, type Scope } from '../scope.ts';
import type { ProcessFacts } from './sighting.ts';

/** One decision, with what the agent's life needs of its rule. */
export interface Verdict {
  readonly pid: number;
  readonly decision: 'attach' | 'deny' | 'ignore';
  /** The rule that won; `pid` when the operator named the process; empty for `ignore`. */
  readonly ruleId: string;
  readonly name: string;
  readonly attachPath: string;
  readonly executable: string | undefined;
  readonly ruleTarget: bigint | undefined;
  readonly evidence: readonly string[];
}

/** How many decisions are kept; the oldest goes. */
const KEPT = 4096;
const SCAN_CHUNK = 200;

/** Reads what rules are matched against, through a held handle. @throws TautError ENOENT/ESRCH when it is gone. */
export function readFacts(process: ProcHandle): ProcessFacts {
  const cmdline = process.read('cmdline', 65_536).toString('utf8');
  const argv = cmdline.replace(/\0+$/, '').split('\0');
  return {
    pid: process.id,
    argv: cmdline === '' ? [] : argv,
    exe: process.link('exe'),
    comm: process.read('comm', 64).toString('utf8').trimEnd(),
  };
}

export class Decisions {
  #rules: RuleSet;
  readonly #kept = new Map<number, Verdict>();

  constructor(rules: RuleSet) {
    this.#rules = rules;
  }

  /** Decides what a process is, and keeps it for `explain`. */
  decide(process: ProcHandle, scope: Scope): Verdict {
    const verdict = this.#verdict(readFacts(process), scope);
    this.#kept.delete(verdict.pid);
    this.#kept.set(verdict.pid, verdict);
    if (this.#kept.size > KEPT) for (const oldest of this.#kept.keys()) return this.#drop(oldest, verdict);
    return verdict;
  }

  /** The last decision on a process, if it is still kept. */
  of(pid: number): Verdict | undefined {
    return this.#kept.get(pid);
  }

  forget(pid: number): void {
    this.#kept.delete(pid);
  }

  /** The target that a rule asks for, nanoseconds. */
  ruleTarget(id: string): bigint | undefined {
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

  #verdict(facts: ProcessFacts, scope: Scope): Verdict {
    const { pid } = facts;
    const executable = facts.exe && basename(facts.exe);
    if (isNamed(scope, pid)) {
      const name = effectiveProgram(facts.argv, facts.exe).name || facts.comm;
      const evidence = [`process ${pid} was named by the operator`];
      return { pid, decision: 'attach', ruleId: 'pid', name, attachPath: 'pid', executable, ruleTarget: undefined, evidence };
    }
    const { decision, rule, evidence } = decide(facts, 'cmdline', this.#rules);
    return {
      pid,
      decision,
      ruleId: rule?.id ?? '',
      name: rule?.name ?? rule?.id ?? '',
      attachPath: 'cmdline',
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
