import { check, failed, type NativeBpfObject, type ProgramRuns } from '../native.ts';
import type { Without } from './features.ts';

/** What measuring cost so far, in seconds of CPU. */
export interface ProgramCost {
  readonly kernelSeconds: number;
  readonly runs: number;
}

/** The kernel's own run-time statistics of the tracer's programs. While they are on, they add about 20 ns to each run. */
export class Accounting {
  readonly #native: NativeBpfObject;
  readonly #isLeftOut: boolean;

  constructor(native: NativeBpfObject, without: Without) {
    this.#native = native;
    this.#isLeftOut = without.has('stats');
  }

  /** @throws TautError without the privilege. */
  turn(on: boolean): void {
    check(this.#native.setStats(on), 'bpf_enable_stats');
  }

  /** Whether these privileges suffice. Tries it. */
  isAllowed(): boolean {
    return !this.#isLeftOut && !failed(this.#native.setStats(true)) && !failed(this.#native.setStats(false));
  }

  /** What the programs used while it was on. */
  cost(): ProgramCost {
    const programs = this.#programs();
    return {
      kernelSeconds: programs.reduce((sum, p) => sum + p.ns, 0) / 1e9,
      runs: programs.reduce((sum, p) => sum + p.runs, 0),
    };
  }

  /** How often the kernel has not run one of these programs, for which it keeps count whether or not it is on. */
  missed(names: readonly string[]): number {
    return this.#programs().reduce((sum, p) => sum + (names.includes(p.name) ? p.missed : 0), 0);
  }

  #programs(): ProgramRuns[] {
    return check(this.#native.runTime(), 'read the run time');
  }
}
