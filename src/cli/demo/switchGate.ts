import type { Gate, GateDecision, GateQuestion, Targets } from '../../gate/gate.ts';

/** A gate whose decisions the demo sets. It never opens for a knob that has no target. */
export class SwitchGate implements Gate {
  #targets: Targets = new Map();
  #reason = 'the demo measures first';
  readonly #callbacks = new Set<() => void>();

  set(targets: Targets, reason: string): void {
    this.#targets = targets;
    this.#reason = reason;
    for (const callback of this.#callbacks) callback();
  }

  decide({ knob }: Pick<GateQuestion, 'knob'>): GateDecision {
    return { value: this.#targets.get(knob.id) ?? null, reason: this.#reason };
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  async close(): Promise<void> {}
}
