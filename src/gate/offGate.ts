/** A gate that is shut while tuning is off, whatever the gate behind it says. */
import { describeOff, isOff, type Off, readOff } from '../actuator/off.ts';
import type { Gate, GateDecision, GateQuestion } from './gate.ts';
import { Listeners } from './listeners.ts';

const POLL_MS = 250;

/** Undefined when tuning is not off. */
function shut(stateDir: string): GateDecision | undefined {
  const off = readOff(stateDir);
  return off && { layer: 'never', value: null, reason: `${describeOff(off)} (taut on lifts that)` };
}

/** What a gate decides, unless tuning is off, also by the time that it has decided. */
export function decideUnlessOff(
  gate: Pick<Gate, 'decide'>,
  stateDir: string,
  question: GateQuestion,
): GateDecision | Promise<GateDecision> {
  const closed = shut(stateDir);
  if (closed) return closed;
  const said = gate.decide(question);
  return said instanceof Promise ? said.then((decision) => shut(stateDir) ?? decision) : said;
}

export class OffGate implements Gate {
  readonly #gate: Gate;
  readonly #stateDir: string;
  readonly #listeners = new Listeners();
  readonly #onSwitch: (off: Off | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  /** What it was told last that tuning is off by; undefined: it is on. */
  #told: string | undefined;

  /** @param onSwitch is told when `look` finds tuning off, and when it is on again. */
  constructor(gate: Gate, stateDir: string, onSwitch: (off: Off | undefined) => void) {
    this.#gate = gate;
    this.#stateDir = stateDir;
    this.#onSwitch = onSwitch;
    // Compares with what was told, not with the file at the last poll: it may have been turned off and on again since.
    this.#timer = setInterval(() => this.look(), POLL_MS).unref();
  }

  get isOff(): boolean {
    return isOff(this.#stateDir);
  }

  get provider() {
    return this.#gate.provider;
  }

  decide(question: GateQuestion): GateDecision | Promise<GateDecision> {
    return decideUnlessOff(this.#gate, this.#stateDir, question);
  }

  /** Looks at the file now, and tells whoever wants to know when it is another than before. */
  look(): void {
    const off = readOff(this.#stateDir);
    const told = off && describeOff(off);
    const before = this.#told;
    if (told === before) return;
    this.#told = told;
    this.#listeners.tell(); // first: to put back is urgent, to say so is not
    // Who turns it off once more gives another reason, which each agent has then.
    if (told === undefined || before === undefined) this.#onSwitch(off);
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(callback, this.#gate.onChange(callback));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#gate.close();
  }
}
