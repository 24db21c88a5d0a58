import type { Gate, GateDecision, GateQuestion, Targets } from '../../gate/gate.ts';
import { Listeners } from '../../gate/listeners.ts';

/** A gate whose decisions the demo sets. It never opens for a knob that has no target. */
export class SwitchGate implements Gate {
  #targets: Targets = new Map();
  #reason = 'the demo measures first';
  readonly #listeners = new Listeners();

  set(targets: Targets, reason: string): void {
    this.#targets = targets;
    this.#reason = reason;
    this.#listeners.tell();
  }

  decide({ knob }: Pick<GateQuestion, 'knob'>): GateDecision {
    return { value: this.#targets.get(knob.id) ?? null, reason: this.#reason };
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(callback);
  }

  async close(): Promise<void> {}
}
