import type { Knob } from '../actuator/knob.ts';
import { LedgerError } from '../actuator/ledgerFile.ts';
import type { Log } from '../util/log.ts';
import type { AgentIdentity } from './identity.ts';
import type { Operations } from './operations.ts';

/**
 * What keeps taut from carrying out decisions of the gate: a ledger that can't be used (taut then writes to no thread,
 * and goes on measuring), a host that can't do a knob, and a kernel that refuses the write of one. Each is logged once, with
 * its remedy. The exit code of the command says whether there was one.
 */
export class Obstacles {
  readonly #log: Log;
  readonly #operations: Operations;
  /** Ids of knobs. */
  readonly #denied = new Set<string>();
  /** Of each knob that was asked about, by its id, whether this host can't do it. */
  readonly #lacking = new Map<string, boolean>();
  #ledgerFailed = false;

  constructor(log: Log, operations: Operations) {
    this.#log = log;
    this.#operations = operations;
  }

  /** Whether a decision of the gate could not be carried out. */
  get any(): boolean {
    return this.#denied.size > 0 || this.#ledgerFailed || [...this.#lacking.values()].includes(true);
  }

  /** Does work that needs the ledger. @returns undefined when the ledger can't be used. */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      if (!this.#ledgerFailed) this.#log.warn(`not tuning: ${error.message}`);
      this.#ledgerFailed = true;
      this.#operations.count('ledger', 'failed');
      return undefined;
    }
  }

  /** Whether this host can't do a knob, which is to be changed now. */
  isLacking(knob: Knob): boolean {
    const known = this.#lacking.get(knob.id);
    if (known !== undefined) return known;
    const { ok, detail, mend } = knob.support();
    this.#lacking.set(knob.id, !ok);
    if (!ok) this.#log.warn(`not changing the ${knob.title}: ${detail}; ${mend}`);
    return !ok;
  }

  /** The kernel refused to change a thread of the agent. */
  denied({ name, pid }: AgentIdentity, knob: Knob): void {
    if (this.#denied.has(knob.id)) return;
    this.#denied.add(knob.id);
    this.#log.warn(`not allowed to change the ${knob.title} of ${name} (${pid}): ${knob.mend}`);
  }
}
