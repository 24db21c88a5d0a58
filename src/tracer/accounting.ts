import { check, failed, type NativeBpfObject, type ProgramRuns } from '../native.ts';
import type { Without } from './features.ts';

/** What measuring has cost so far, in CPU seconds. */
export interface ProgramCost {
  readonly kernelSeconds: number;
  readonly runs: number;
}

/** The kernel's own run-time statistics of the tracer's programs. While on, they add about 20 ns to each run. */
export class Accounting {
  readonly #native: NativeBpfObject;
  readonly #isLeftOut: boolean;

  constructor(native: NativeBpfObject, without: Without) {
    this.#native = native;
    this.#isLeftOut = without.has('stats');
  }

  /** Turns the statistics on or off. @throws TautError without the privilege. */
  turn(on: boolean): void {
    check(this.#native.setStats(on), 'bpf_enable_stats');
  }

  /** Whether the privileges suffice: tries to turn the statistics on and off. */
  isAllowed(): boolean {
    return !this.#isLeftOut && !failed(this.#native.setStats(true)) && !failed(this.#native.setStats(false));
  }

  /** What the programs used while the statistics were on. */
  cost(): ProgramCost {
    const programs = this.#programs();
    return {
      kernelSeconds: programs.reduce((sum, p) => sum + p.ns, 0) / 1e9,
      runs: programs.reduce((sum, p) => sum + p.runs, 0),
    };
  }

  /** How often the kernel skipped these programs; it counts that also while the statistics are off. */
  missed(names: readonly string[]): number {
    return this.#programs().reduce((sum, p) => sum + (names.includes(p.name) ? p.missed : 0), 0);
  }

  #programs(): ProgramRuns[] {
    return check(this.#native.runTime(), 'read the run time');
  }
}
