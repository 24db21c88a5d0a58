/** A gate that is shut for agents that tuning has harmed, until their cool-down is over or lifted. */
import { type CoolDown, type CoolDowns, describeUntil } from './coolDowns.ts';
import type { Gate, GateDecision, GateQuestion } from './gate.ts';
import { Listeners } from './listeners.ts';

const POLL_MS = 1_000;

export class GuardedGate implements Gate {
  readonly #gate: Gate;
  readonly #coolDowns: CoolDowns;
  readonly #listeners = new Listeners();
  readonly #timer: NodeJS.Timeout;

  constructor(gate: Gate, coolDowns: CoolDowns) {
    this.#gate = gate;
    this.#coolDowns = coolDowns;
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
    return said instanceof Promise ? said.then((decision) => this.#shut(question) ?? decision) : said;
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
