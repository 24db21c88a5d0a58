/**
 * The guard (`native/guard/guard.c`): a small process that sleeps until this one is gone, and then puts back what it has
 * left tuned. Its side here: starting it, noticing that it died, telling it that it is not needed any more.
 */
import { closeSync, existsSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Log } from '../log.ts';
import { addon, check, guardPath, packageRoot } from '../native.ts';
import { selfOwner } from './owner.ts';

export interface Guard {
  /** Undefined when there is none: it could not be started, or has died. */
  readonly pid: number | undefined;
  /** Starts another if it died. @returns whether it had to. */
  check(): boolean;
  /** All is put back: the guard ends without doing anything. */
  release(): void;
}

export interface GuardOptions {
  /** Of the ledger. */
  readonly stateDir: string;
  readonly log: Log;
}

/**
 * Starts a guard, which stands when this returns (it takes half a millisecond). Never throws: what keeps it from
 * starting is said once, with its mend.
 */
export function startGuard(options: GuardOptions): Guard {
  const guard = new GuardProcess(options);
  guard.check();
  return guard;
}

class GuardProcess implements Guard {
  readonly #log: Log;
  readonly #command: readonly string[];
  /**
   * The process id, and the descriptor of the pipe to it. That is not closed before the guard is gone: on a kernel
   * without pidfds it would take that for our end.
   */
  #running: readonly [pid: number, pipe: number] | undefined;
  #hasFailed = false;

  constructor({ stateDir, log }: GuardOptions) {
    this.#log = log;
    const restore = join(packageRoot(), 'dist/src/cli/guardRestore.js');
    this.#command = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--single-threaded', // on a busy host V8 would wait for threads of its own
      restore,
      resolve(stateDir),
      selfOwner(),
    ];
  }

  get pid(): number | undefined {
    if (this.#running === undefined) return undefined;
    const [pid, pipe] = this.#running;
    return addon().isGuarded(pipe) ? pid : undefined;
  }

  check(): boolean {
    if (this.pid !== undefined) return false;
    const before = this.#running;
    this.#close();
    this.#start();
    if (before && this.#running)
      this.#log.warn(`the guard (${before[0]}) is gone: started another (${this.#running[0]})`);
    return true;
  }

  release(): void {
    if (this.#running === undefined) return;
    try {
      writeSync(this.#running[1], 'r');
    } catch {
      // EPIPE: it has died already, and so does nothing either.
    }
    this.#close();
  }

  #start(): void {
    try {
      const path = guardPath();
      if (!existsSync(path)) throw new Error(`${path} is missing; run: sh native/setup.sh`);
      this.#running = check(addon().startGuard(path, String(process.pid), ...this.#command), `start ${path}`);
    } catch (error) {
      const message = `there is no guard: ${(error as Error).message}; should this process be killed, run: taut restore`;
      if (!this.#hasFailed) this.#log.warn(message);
      this.#hasFailed = true;
    }
  }

  #close(): void {
    if (this.#running) closeSync(this.#running[1]);
    this.#running = undefined;
  }
}
