import type { Knob } from '../../actuator/knob.ts';
import type { Gate, GateDecision, GateQuestion } from '../../gate/gate.ts';

/** A gate whose decision on one knob the demo sets. It never opens for another. */
export class SwitchGate implements Gate {
  readonly #knob: Knob;
  #decision: GateDecision = { value: null, reason: 'the demo measures first' };
  readonly #callbacks = new Set<() => void>();

  constructor(knob: Knob) {
    this.#knob = knob;
  }

  set(decision: GateDecision): void {
    this.#decision = decision;
    for (const callback of this.#callbacks) callback();
  }

  decide({ knob }: Pick<GateQuestion, 'knob'>): GateDecision {
    if (knob.id === this.#knob.id) return this.#decision;
    return { value: null, reason: `the demo is about ${this.#knob.title} alone` };
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  async close(): Promise<void> {}
}
