/** Handles what the network shows of processes, and updates the agents. */
import type { Decisions } from '../discovery/decisions.ts';
import { type NetworkSighting, seenBy } from '../discovery/network/sighting.ts';
import { NetworkWatch } from '../discovery/network/watch.ts';
import { inScope, type Scope } from '../discovery/scope.ts';
import { isGone, ProcHandle } from '../proc/handle.ts';
import type { Log } from '../util/log.ts';
import type { Operations } from './operations.ts';
import type { Agents } from './registry.ts';
import { limited, reportLost } from './reportLost.ts';

export interface NetworkEventsOptions {
  readonly agents: Agents;
  readonly decisions: Decisions;
  readonly scope: Scope;
  readonly log: Log;
  readonly operations: Operations;
  /** Called when work for one process failed. */
  readonly failed: (what: string, error: unknown) => void;
}

export class NetworkEvents implements Disposable {
  readonly #options: NetworkEventsOptions;
  /** Undefined when the operator named every agent by its process id. */
  readonly #watch: NetworkWatch | undefined;
  readonly #sayLost: (line: string) => void;
  #ended = false;

  constructor(options: NetworkEventsOptions) {
    this.#options = options;
    this.#sayLost = limited(options.log);
    const { decisions, scope, log } = options;
    if (scope.kind === 'pids') return;
    this.#watch = new NetworkWatch({
      dnsPorts: decisions.dnsPorts,
      log,
      onSighting: (sighting) => this.#onSighting(sighting),
      onLost: (kind, n, flood) => reportLost(this.#sayLost, kind, n, flood),
    });
  }

  /** Watches for what the current rules ask about; after `first`, also looks at the connections that exist already. */
  async use(first?: Promise<void>): Promise<void> {
    await this.#watch?.use(this.#options.decisions.rules, first);
  }

  /** Later sightings are ignored. */
  end(): void {
    this.#ended = true;
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  /** A process asked for a name or connected: it may become an agent, or stop being one. Never rejects. */
  async #onSighting(sighting: NetworkSighting): Promise<void> {
    try {
      await this.#handle(sighting);
    } catch (error) {
      // Any user can cause many sightings, and one cause (no descriptor left) makes all of them fail.
      this.#options.operations.count('sight', 'failed');
      this.#options.failed(`process ${sighting.pid}, which the network showed`, error);
    }
  }

  async #handle(sighting: NetworkSighting): Promise<void> {
    const { pid, startTicks } = sighting;
    const { agents, decisions, scope, operations } = this.#options;
    if (this.#ended || pid === process.pid || !inScope(scope, pid) || !decisions.wants(sighting)) return;
    try {
      using handle = new ProcHandle(pid);
      // The process has ended since the kernel saw it, and another one has its id.
      if (handle.stat().startTicks !== startTicks) return operations.count('sight', 'vanished');
    } catch (error) {
      if (isGone(error)) return operations.count('sight', 'vanished');
      throw error;
    }
    if (!(await decisions.note(sighting)) || this.#ended) return;
    await agents.reconsider(pid, seenBy(sighting));
  }
}
