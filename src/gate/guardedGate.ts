/** A gate that is shut for agents that tuning has harmed, until their cool-down is over or lifted. */
import { type CoolDown, type CoolDowns, describeUntil } from './coolDowns.ts';
import type { Gate, GateDecision, GateQuestion } from './gate.ts';
import { Listeners } from './listeners.ts';

const POLL_MS = 1_000;

export class GuardedGate implements Gate {
  readonly #gate: Gate;
  readonly #coolDowns: CoolDowns;
  readonly #onUnguarded: ((flag: string) => void) | undefined;
  readonly #listeners = new Listeners();
  readonly #timer: NodeJS.Timeout;

  #isUnguarded = false;

  /** @param onUnguarded where no guardrail runs: is told once of a flag that has limits for it. */
  constructor(gate: Gate, coolDowns: CoolDowns, onUnguarded?: (flag: string) => void) {
    this.#gate = gate;
    this.#coolDowns = coolDowns;
    this.#onUnguarded = onUnguarded;
    this.#timer = setInterval(() => this.look(), POLL_MS).unref();
  }

  get provider() {
    return this.#gate.provider;
  }

  decide(question: GateQuestion): GateDecision | Promise<GateDecision> {
    const closed = this.#shut(question);
    if (closed) return closed;
    const { last, ...rest } = question;
    // What the guardrail decided is not what the gate behind decided last.
    const said = this.#gate.decide(last && last.layer !== 'guardrail' ? question : rest);
    if (!(said instanceof Promise)) return said;
    return said.then((decision) => {
      this.#look(decision);
      return this.#shut(question) ?? decision;
    });
  }

  #look({ flag, guardrail }: GateDecision): void {
    if (this.#isUnguarded || !flag || guardrail === undefined || guardrail === 'off') return;
    this.#isUnguarded = true;
    this.#onUnguarded?.(flag.key);
  }

  /** Puts back what a cool-down is about, at once. @throws an error of the file system, when it is lost at the next start. */
  hold(coolDown: CoolDown): void {
    try {
      this.#coolDowns.add(coolDown);
    } finally {
      this.#listeners.tell();
    }
  }

  /** Looks whether cool-downs are over, or were lifted. */
  look(): void {
    if (this.#coolDowns.refresh()) this.#listeners.tell();
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(callback, this.#gate.onChange(callback));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#gate.close();
  }

  #shut({ pid, startTicks, last }: GateQuestion): GateDecision | undefined {
    const coolDown = this.#coolDowns.of({ pid, ...(startTicks === undefined ? {} : { startTicks }) });
    if (!coolDown) return undefined;
    const reason = describeUntil(coolDown);
    return last?.reason === reason ? last : { layer: 'guardrail', value: null, reason };
  }
}
