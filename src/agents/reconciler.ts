/** Checks periodically what no event reports: values that other programs set, and missed forks and exits. */
import type { Ledger, LedgerEntry } from '../actuator/ledger.ts';
import { sweep } from '../actuator/sweep.ts';
import type { Decisions } from '../discovery/decisions.ts';
import type { ProcFiles } from '../proc/files.ts';
import type { Tracer } from '../tracer/tracer.ts';
import type { Log } from '../util/log.ts';
import type { Agent } from './agent.ts';
import type { Obstacles } from './obstacles.ts';
import type { Operations } from './operations.ts';
import type { RecordedThreads } from './recordedThreads.ts';
import type { Agents } from './registry.ts';
import { reportLost } from './reportLost.ts';

export interface ReconcilerOptions {
  readonly agents: Agents;
  readonly decisions: Decisions;
  readonly log: Log;
  readonly operations: Operations;
  readonly obstacles: Obstacles;
  readonly onRecord: RecordedThreads;
  readonly ledger: Ledger | undefined;
  readonly tracer: Pick<Tracer, 'lostEvents'> | undefined;
  /** Where the processes are. Default: this host. */
  readonly files?: ProcFiles;
  /** Called when work for one agent failed. */
  readonly failed: (what: string, error: unknown) => void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** Agents that had ended at the last check, and were not let go. */
  #ended: ReadonlySet<Agent> = new Set();
  #lostEvents = 0;
  #droppedDecisions = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Checks the agents and the ledger. @returns whether processes were missed, so that every one must be scanned. */
  run(): boolean {
    const hasMissed = this.#hasMissed();
    this.#agents(hasMissed);
    this.#record();
    this.#decisions();
    return hasMissed || this.#options.agents.hasRoomAgain();
  }

  /**
   * An agent that has ended is left for its own event, as children may be told of before that: they inherited from it.
   * It is let go when events were missed, or when it is found to have ended for the second time.
   */
  #agents(hasMissed: boolean): void {
    const { agents, failed } = this.#options;
    const ended = new Set<Agent>();
    for (const agent of agents.all()) {
      const { pid, name } = agent.identity;
      try {
        if (!agent.isGone()) agent.reconcile((id) => agents.has(id));
        else if (hasMissed || this.#ended.has(agent)) agents.gone(pid);
        else ended.add(agent);
      } catch (error) {
        failed(`${name} (${pid})`, error);
      }
    }
    this.#ended = ended;
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

  /** Whether kernel events were lost since the last call; always true without a tracer, which would report them. */
  #hasMissed(): boolean {
    const { tracer, log } = this.#options;
    if (!tracer) return true;
    const lost = tracer.lostEvents();
    if (lost === this.#lostEvents) return false;
    reportLost(log, lost - this.#lostEvents);
    this.#lostEvents = lost;
    return true;
  }
}
