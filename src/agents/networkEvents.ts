/** What the network shows of processes, and what follows for the agents. */
import type { Decisions } from '../discovery/decisions.ts';
import { type NetworkSighting, seenBy } from '../discovery/network/sighting.ts';
import { NetworkWatch } from '../discovery/network/watch.ts';
import { inScope, type Scope } from '../discovery/scope.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import type { Log } from '../util/log.ts';
import type { Agents } from './registry.ts';
import type { Signals } from './signals.ts';

export interface NetworkEventsOptions {
  readonly agents: Agents;
  readonly decisions: Decisions;
  readonly scope: Scope;
  readonly log: Log;
  readonly signals: Signals;
  /** Something could not be done for one process. */
  readonly failed: (what: string, error: unknown) => void;
}

export class NetworkEvents implements Disposable {
  readonly #options: NetworkEventsOptions;
  /** Undefined where the operator has named every process that is an agent. */
  readonly #watch: NetworkWatch | undefined;
  #ended = false;

  constructor(options: NetworkEventsOptions) {
    this.#options = options;
    const { decisions, scope, log, signals } = options;
    if (scope.kind === 'pids') return;
    this.#watch = new NetworkWatch({
      dnsPorts: decisions.dnsPorts,
      log,
      onSighting: (sighting) => this.#onSighting(sighting),
      // Counted and said, as they can't be had again.
      onLost: (n) => signals.eventsLost(n),
    });
  }

  /** Looks for what the rules are about now; after `first` also at the connections that are there already. */
  async use(first?: Promise<void>): Promise<void> {
    await this.#watch?.use(this.#options.decisions.rules, first);
  }

  /** What comes from now on is not handled. */
  end(): void {
    this.#ended = true;
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  /** A process asked or connected: that may make it an agent, or end that it is one. Never rejects. */
  async #onSighting(sighting: NetworkSighting): Promise<void> {
    try {
      await this.#handle(sighting);
    } catch (error) {
      // Anybody can have many of these seen, and what fails for one (no descriptor is left) fails for all.
      this.#options.signals.operation('sight', 'failed');
      this.#options.failed(`process ${sighting.pid}, which the network showed`, error);
    }
  }

  async #handle(sighting: NetworkSighting): Promise<void> {
    const { pid, startTicks } = sighting;
    const { agents, decisions, scope, signals } = this.#options;
    if (this.#ended || pid === process.pid || !inScope(scope, pid)) return;
    try {
      using handle = new ProcHandle(pid);
      // Its id was given to another between what the kernel saw and now.
      if (handle.stat().startTicks !== startTicks) return signals.operation('sight', 'vanished');
      if (!decisions.note(handle, sighting)) return;
    } catch (error) {
      if (isGone(error)) return signals.operation('sight', 'vanished');
      throw error;
    }
    const seen = seenBy(sighting);
    if (!agents.has(pid)) return agents.sight(pid, seen);
    if (agents.look(pid, seen)?.decision === 'deny') agents.letGo(pid, 'a rule denies it now');
  }
}
