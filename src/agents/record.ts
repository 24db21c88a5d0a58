/** What this taut has on record: the ledger, the threads in it, and the guard, which puts them back if taut is killed. */
import { dirname } from 'node:path';
import { type Guard, startGuard } from '../actuator/guard.ts';
import { KNOBS } from '../actuator/knobs.ts';
import type { Execed, Ledger } from '../actuator/ledger.ts';
import { restoreEntries } from '../actuator/restore.ts';
import { nowMs } from '../proc/clock.ts';
import type { Log } from '../util/log.ts';
import type { Obstacles } from './obstacles.ts';
import type { Operations } from './operations.ts';
import { RecordedThreads } from './recordedThreads.ts';
import { reportRestored } from './reportRestored.ts';

export interface RecordOptions {
  /** Undefined: nothing is tuned, and nothing is on record. */
  readonly ledger: Ledger | undefined;
  /**
   * Whether to start a guard, which puts everything back if this process is killed; or a guard that runs already, which
   * its starter releases. Default: true, if there is a ledger.
   */
  readonly guard?: boolean | Guard;
  readonly log: Log;
}

export class TuningRecord {
  readonly threads: RecordedThreads;
  readonly #options: RecordOptions;
  readonly #operations: Operations;
  readonly #obstacles: Obstacles;
  #guard: Guard | undefined;

  constructor(options: RecordOptions, operations: Operations, obstacles: Obstacles) {
    this.#options = options;
    this.#operations = operations;
    this.#obstacles = obstacles;
    const { ledger } = options;
    const left = (ledger && obstacles.attempt(() => ledger.orphans())) ?? [];
    this.threads = new RecordedThreads(operations, left);
  }

  /** Call before the first agent is attached to: the guard's start takes longer than tuning an agent. */
  startGuard(): void {
    const { guard = true, ledger, log } = this.#options;
    if (typeof guard === 'object') this.#guard = guard;
    else if (ledger && guard) this.#guard = startGuard({ stateDir: dirname(ledger.path), log });
  }

  /** Starts the guard again if it has ended. */
  checkGuard(): void {
    this.#guard?.check();
  }

  /** The process id of the running guard; undefined when there is none. */
  get guardPid(): number | undefined {
    return this.#guard?.pid;
  }

  /** Keeps a thread on record that has its process's id now: an agent's, or a descendant's that keeps its value. */
  follow(thread: Execed): void {
    const { ledger } = this.#options;
    const moved = (ledger && this.#obstacles.attempt(() => ledger.carryOver(thread))) ?? [];
    this.threads.carriedOver(moved, { tid: thread.pid, startTicks: thread.processStartTicks });
  }

  /** Goes on from memory, if the ledger's file was removed. */
  checkLedger(): void {
    const { ledger } = this.#options;
    if (ledger?.isInPlace() === false) ledger.abandon();
  }

  /** Puts back what is still in the ledger: failed threads, and children that inherited from agents that have ended. */
  restoreRest(reason: string): void {
    const { ledger, guard } = this.#options;
    if (!ledger) return;
    const startMs = nowMs();
    const results = this.#obstacles.attempt(() => restoreEntries(ledger, KNOBS, ledger.own())) ?? [];
    this.threads.restored(results);
    reportRestored(this.#operations, { results, reason, startMs, endMs: nowMs() });
    // If entries are left, the guard stays and tries again after this process has ended.
    if (this.#obstacles.attempt(() => ledger.own().length) !== 0) return;
    if (typeof guard !== 'object') this.#guard?.release();
    this.#guard = undefined;
  }
}
