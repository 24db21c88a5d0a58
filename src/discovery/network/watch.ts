/** Finds agents by their network traffic; active when a rule needs it and the host allows it. */

import type { ContactKind } from '../../native.ts';
import type { Flood } from '../../util/floods.ts';
import type { Log } from '../../util/log.ts';
import type { RuleSet } from '../ruleSet.ts';
import { heldConnections } from './scan.ts';
import type { NetworkSighting } from './sighting.ts';
import { NetworkSource, NetworkUnavailable } from './source.ts';

/** Interval between scans of the existing connections; the kernel reports the connections made in between. */
const SCAN_MS = 30_000;
/** Rest at least REST times the duration of a scan, so that scans stay cheap with tens of thousands of sockets. */
const REST = 300;
/** At least this many times its duration, where new connections were lost. */
const SHORT_REST = 20;
const LOST_MS = 5_000;

export interface NetworkWatchOptions {
  /** The ports that resolvers listen on. */
  readonly dnsPorts: readonly number[];
  readonly log: Log;
  /** Never rejects. */
  readonly onSighting: (sighting: NetworkSighting) => Promise<void>;
  /** Called with the number of contacts of a kind that were lost, and with who caused most of what was held back. */
  readonly onLost: (kind: ContactKind, n: number, flood: Flood | undefined) => void;
}

export class NetworkWatch implements Disposable {
  readonly #options: NetworkWatchOptions;
  #source: NetworkSource | undefined;
  #rules: RuleSet | undefined;
  #wanted = '';
  #timer: NodeJS.Timeout | undefined;
  #lost: ReadonlyMap<ContactKind, number> = new Map();
  /** Until when the existing connections are not scanned again, also when new ones were lost. */
  #restUntil = 0;
  #ended = false;
  #lostTimer: NodeJS.Timeout | undefined;

  constructor(options: NetworkWatchOptions) {
    this.#options = options;
  }

  /** Watches for what these rules ask about; after `first`, also scans the existing connections, periodically. */
  async use(rules: RuleSet, first: Promise<void> = Promise.resolve()): Promise<void> {
    if (this.#ended) return;
    this.#rules = rules;
    this.#open(rules);
    clearTimeout(this.#timer);
    this.#timer = undefined; // until the connections that exist were scanned
    if (!rules.usesConnections && !rules.usesDns) return;
    await first;
    await this.#look(rules);
  }

  async #look(rules: RuleSet): Promise<void> {
    const from = performance.now();
    await this.#scan(rules).catch((error: Error) => this.#options.log.warn(`connections: ${error.message}`));
    if (this.#ended || rules !== this.#rules) return;
    const tookMs = performance.now() - from;
    this.#restUntil = performance.now() + SHORT_REST * tookMs;
    const restMs = Math.max(SCAN_MS, REST * tookMs);
    this.#timer = setTimeout(() => void this.#look(rules), restMs).unref();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearInterval(this.#lostTimer);
    this.#source?.[Symbol.dispose]();
    this.#source = undefined;
  }

  #open({ usesDns, usesConnections: connections }: RuleSet): void {
    const wanted = `${usesDns} ${connections}`;
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#source?.[Symbol.dispose]();
    this.#source = undefined;
    if (!usesDns && !connections) return;
    try {
      const { dnsPorts } = this.#options;
      const onSighting = (sighting: NetworkSighting) => void this.#options.onSighting(sighting);
      const wantsName = (name: string) => this.#rules?.wantsName(name) ?? false;
      this.#source = new NetworkSource({ dnsPorts, connections, wantsName, onSighting });
      for (const missing of this.#source.missing) this.#options.log.warn(`not seeing ${missing}`);
      this.#lost = new Map();
      clearInterval(this.#lostTimer);
      this.#lostTimer = setInterval(() => this.#countLost(), LOST_MS).unref();
    } catch (error) {
      if (!(error instanceof NetworkUnavailable)) throw error;
      this.#options.log.warn(`not finding agents by names and new connections: ${error.message}`);
    }
  }

  #countLost(): void {
    const lost = this.#source?.lost() ?? new Map<ContactKind, number>();
    const floods = this.#source?.floods.take();
    let isAnyConnection = false;
    for (const [kind, n] of lost) {
      const more = n - (this.#lost.get(kind) ?? 0);
      if (more > 0) this.#options.onLost(kind, more, floods?.get(kind));
      isAnyConnection ||= more > 0 && kind === 'connect';
    }
    this.#lost = lost;
    // What was not told of, sock_diag knows, as long as it lasts.
    if (isAnyConnection && this.#timer && this.#rules && performance.now() > this.#restUntil) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      void this.#look(this.#rules);
    }
  }

  async #scan(rules: RuleSet): Promise<void> {
    if (!rules.usesConnections && !this.#source?.hasServerNames) return;
    const atNs = process.hrtime.bigint();
    const held = await heldConnections((address, port, cookie) => {
      const contact = this.#source?.contact(address, port, cookie) ?? { address, port, names: [] };
      return rules.wantsContact(contact) ? contact : undefined;
    });
    for (const connection of held) await this.#options.onSighting({ kind: 'contact', atNs, ...connection });
  }
}
