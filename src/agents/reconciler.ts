/** Checks periodically what no event reports: values that other programs set, and missed forks and exits. */
import type { Ledger, LedgerEntry } from '../actuator/ledger.ts';
import { sweep } from '../actuator/sweep.ts';
import type { Decisions } from '../discovery/decisions.ts';
import type { ProcFiles } from '../proc/files.ts';
import { Slices } from '../proc/slices.ts';
import type { Log } from '../util/log.ts';
import type { Agent } from './agent.ts';
import type { Losses } from './losses.ts';
import type { Obstacles } from './obstacles.ts';
import type { Operations } from './operations.ts';
import type { RecordedThreads } from './recordedThreads.ts';
import type { Agents } from './registry.ts';

export interface ReconcilerOptions {
  readonly agents: Agents;
  readonly decisions: Decisions;
  readonly log: Log;
  readonly operations: Operations;
  readonly obstacles: Obstacles;
  readonly onRecord: RecordedThreads;
  readonly ledger: Ledger | undefined;
  readonly losses: Losses;
  /** Where the processes are. Default: this host. */
  readonly files?: ProcFiles;
  /** Called when work for one agent failed. */
  readonly failed: (what: string, error: unknown) => void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** Agents that had ended at the last check, and were not let go. */
  #gone: ReadonlySet<Agent> = new Set();
  #droppedDecisions = 0;
  #ended = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** A check that is not done stops, and nothing is checked any more. */
  end(): void {
    this.#ended = true;
  }

  /** Checks the agents and the ledger. @returns whether any process may have been missed, so that all must be scanned. */
  async run(): Promise<boolean> {
    const { any, all } = this.#options.losses.look();
    await this.#agents(any);
    if (this.#ended) return false;
    this.#record();
    this.#decisions();
    return this.#options.agents.hasRoomAgain() || all;
  }

  /**
   * An agent that has ended is left for its own event, as children may be told of before that: they inherited from it.
   * It is let go when events were missed, or when it is found to have ended for the second time. In slices: any user can
   * start thousands of agents.
   */
  async #agents(hasMissed: boolean): Promise<void> {
    const { agents, failed } = this.#options;
    const slices = new Slices();
    const gone = new Set<Agent>();
    for (const agent of agents.all()) {
      await slices.next();
      const { pid, name } = agent.identity;
      if (this.#ended) return;
      if (agents.get(pid) !== agent) continue; // it was let go meanwhile
      try {
        if (!agent.isGone()) agent.reconcile((id) => agents.has(id));
        else if (hasMissed || this.#gone.has(agent)) agents.gone(pid);
        else gone.add(agent);
      } catch (error) {
        failed(`${name} (${pid})`, error);
      }
    }
    this.#gone = gone;
  }

  /** Removes threads from the ledger that have ended without an event. */
  #record(): void {
    const { agents, ledger, onRecord, obstacles, files } = this.#options;
    if (!ledger) return;
    const watches = ({ pid, tid, startTicks }: LedgerEntry) => agents.get(pid)?.watches(tid, startTicks) === true;
    obstacles.attempt(() => onRecord.ended(sweep(ledger, watches, files)));
  }

  /** Counts decisions that the log of decisions had no room for. */
  #decisions(): void {
    const { decisions, operations } = this.#options;
    const { dropped } = decisions;
    if (dropped > this.#droppedDecisions) operations.count('keep', 'dropped', dropped - this.#droppedDecisions);
    this.#droppedDecisions = dropped;
  }
}
