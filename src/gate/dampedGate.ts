/**
 * A gate in front of flags that may flap: a setting of an agent is turned on, or to another value, a few times a minute at most.
 * Turning it off is never delayed.
 */
import type { Gate, GateDecision, GateQuestion } from './gate.ts';
import { Listeners } from './listeners.ts';

/** Turns of one setting of one agent in `WINDOW_MS`. A person who tries a flag out makes fewer. */
export const MOST_TURNS = 10;
const WINDOW_MS = 60_000;

/** @param onProblem is told once when flags flap, and again when they do so after a minute without. */
export function dampedGate(gate: Gate, onProblem: (message: string) => void, windowMs = WINDOW_MS): Gate {
  return new DampedGate(gate, onProblem, windowMs);
}

class DampedGate implements Gate {
  readonly #gate: Gate;
  readonly #onProblem: (message: string) => void;
  readonly #windowMs: number;
  readonly #listeners = new Listeners();
  #dampedAtMs = Number.NEGATIVE_INFINITY;
  #again: NodeJS.Timeout | undefined;

  constructor(gate: Gate, onProblem: (message: string) => void, windowMs: number) {
    this.#gate = gate;
    this.#onProblem = onProblem;
    this.#windowMs = windowMs;
  }

  get provider() {
    return this.#gate.provider;
  }

  async decide(question: GateQuestion): Promise<GateDecision> {
    const { last } = question;
    const decision = await this.#gate.decide(question);
    if (decision === last) return decision;
    const nowMs = performance.now();
    const turnsMs = (last?.turnsMs ?? []).filter((atMs) => nowMs - atMs < this.#windowMs);
    if (decision.value === null || decision.value === last?.value) return { ...decision, turnsMs };
    const [first] = turnsMs;
    if (!last || first === undefined || turnsMs.length < MOST_TURNS)
      return { ...decision, turnsMs: [...turnsMs, nowMs] };
    this.#askAgainIn(first + this.#windowMs - nowMs);
    this.#say(decision, nowMs);
    const reason = `${decision.reason}, but has changed ${MOST_TURNS} times in a minute: it waits until that is over`;
    return last.isDamped && last.reason === reason ? last : { ...last, reason, isDamped: true, turnsMs };
  }

  #askAgainIn(ms: number): void {
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#listeners.tell();
    }, ms).unref();
  }

  #say({ flag }: GateDecision, nowMs: number): void {
    const isCalm = nowMs - this.#dampedAtMs > this.#windowMs;
    this.#dampedAtMs = nowMs;
    if (!isCalm) return;
    const bound = `an agent's setting is turned on at most ${MOST_TURNS} times a minute, and off whenever the flag says so`;
    this.#onProblem(`the flag ${flag?.key} changes too often: ${bound}`);
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(callback, this.#gate.onChange(callback));
  }

  async close(): Promise<void> {
    clearTimeout(this.#again);
    await this.#gate.close();
  }
}
