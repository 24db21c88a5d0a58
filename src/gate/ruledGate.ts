/** A rule that says off comes before flags and options: about its agents nothing else is asked. */
import type { Gate, GateDecision, GateQuestion } from './gate.ts';
import { unlessNew } from './lastKnown.ts';

export class RuledGate implements Gate {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  get provider() {
    return this.#gate.provider;
  }

  decide(question: GateQuestion): GateDecision | Promise<GateDecision> {
    const { ruleId, ruleTarget, last } = question;
    if (ruleTarget !== 'off') return this.#gate.decide(question);
    return unlessNew({ layer: 'rule', value: null, reason: `rule ${ruleId} says off` }, last);
  }

  onChange(callback: () => void): () => void {
    return this.#gate.onChange(callback);
  }

  async close(): Promise<void> {
    await this.#gate.close();
  }
}
