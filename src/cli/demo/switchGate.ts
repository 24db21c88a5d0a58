import type { Gate, GateDecision } from '../../gate/gate.ts';

/** A gate whose decision the demo sets. */
export class SwitchGate implements Gate {
  #decision: GateDecision = { value: null, reason: 'the demo measures first' };
  readonly #callbacks = new Set<() => void>();

  set(decision: GateDecision): void {
    this.#decision = decision;
    for (const callback of this.#callbacks) callback();
  }

  decide(): GateDecision {
    return this.#decision;
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  async close(): Promise<void> {}
}
