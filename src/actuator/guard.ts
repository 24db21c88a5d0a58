/**
 * Manages the guard (`native/guard/guard.c`): a small process that sleeps until this process has ended, and then puts
 * back what it left tuned. This file starts the guard, notices when it died, and releases it.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { addon, check, guardPath, type NativeGuard, packageRoot } from '../native.ts';
import type { Log } from '../util/log.ts';
import { selfOwner } from './owner.ts';

export interface Guard {
  /** Undefined when no guard runs: it could not be started, or has died. */
  readonly pid: number | undefined;
  /** Starts a new guard if none runs. @returns whether it had to. */
  check(): boolean;
  /** Ends the guard without doing anything; for when all threads are put back. */
  release(): void;
}

export interface GuardOptions {
  /** The directory of the ledger. */
  readonly stateDir: string;
  readonly log: Log;
}

/**
 * Starts a guard, which runs when this function returns (after a millisecond or two). Never throws: a failed start is
 * logged once, with the remedy.
 */
export function startGuard(options: GuardOptions): Guard {
  const guard = new GuardProcess(options);
  guard.check();
  return guard;
}

class GuardProcess implements Guard {
  readonly #log: Log;
  readonly #command: readonly string[];
  #native: NativeGuard | undefined;
  #pid: number | undefined;
  #hasFailed = false;

  constructor({ stateDir, log }: GuardOptions) {
    this.#log = log;
    this.#command = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--disable-sigusr1', // it would open a debugger, which every user of the host could reach
      '--single-threaded', // on a busy host V8 would wait for its own worker threads
      join(packageRoot(), 'dist/cli/guardRestore.cjs'),
      resolve(stateDir),
      selfOwner(),
    ];
  }

  get pid(): number | undefined {
    return this.#native?.isRunning() ? this.#pid : undefined;
  }

  check(): boolean {
    if (this.pid !== undefined) return false;
    const before = this.#pid;
    this.#start();
    if (before !== undefined && this.#pid !== undefined)
      this.#log.warn(`the guard (${before}) is gone: started another (${this.#pid})`);
    return true;
  }

  release(): void {
    this.#native?.release();
  }

  #start(): void {
    this.#pid = undefined;
    try {
      const path = guardPath();
      if (!existsSync(path)) throw new Error(`${path} is missing; run: sh scripts/setup.sh`);
      this.#native ??= new (addon().Guard)();
      this.#native.close();
      this.#pid = check(this.#native.start(path, String(process.pid), ...this.#command), `start ${path}`);
    } catch (error) {
      const message = `there is no guard: ${(error as Error).message}; should this process be killed, run: taut restore`;
      if (!this.#hasFailed) this.#log.warn(message);
      this.#hasFailed = true;
    }
  }
}
