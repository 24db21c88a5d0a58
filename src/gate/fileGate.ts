/** A gate whose flags are a file's: while the file can't be read, agents keep what was decided last, and no other is tuned. */
import type { FlagFile } from './flagFile.ts';
import { type FlagOptions, flagGate } from './flagGate.ts';
import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';
import { LastKnown, unlessNew } from './lastKnown.ts';
import { Listeners } from './listeners.ts';

/** A file that can be read and has no such flag has said off. */
const IS_AN_ANSWER = 'FLAG_NOT_FOUND';

/** @param lastKnownMs how long an agent keeps what was decided last, in milliseconds. */
export async function fileGate(
  file: FlagFile,
  targets: Targets,
  lastKnownMs: number,
  naming: FlagOptions = {},
): Promise<Gate> {
  return new FileGate(await flagGate(file, targets, naming), lastKnownMs);
}

class FileGate implements Gate {
  readonly #gate: Gate;
  readonly #listeners = new Listeners();
  readonly #lastKnown: LastKnown;

  constructor(gate: Gate, lastKnownMs: number) {
    this.#gate = gate;
    this.#lastKnown = new LastKnown(lastKnownMs, () => this.#listeners.tell());
  }

  get provider() {
    return this.#gate.provider;
  }

  async decide(question: GateQuestion): Promise<GateDecision> {
    const decision = await this.#gate.decide(question);
    const isAnswer = decision.failure === undefined || decision.failure === IS_AN_ANSWER;
    const kept = isAnswer ? undefined : this.#lastKnown.insteadOf(decision, question);
    return unlessNew(kept ?? decision, question.last);
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(callback, this.#gate.onChange(callback));
  }

  async close(): Promise<void> {
    this.#lastKnown.close();
    await this.#gate.close();
  }
}
