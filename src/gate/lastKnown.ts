/** While there is no answer about an agent that exists, what was decided last on it stays in force for a time. */
import { isOver } from './flagObject.ts';
import type { GateDecision, GateQuestion } from './gate.ts';

export class LastKnown {
  readonly #ms: number;
  readonly #onExpiry: () => void;
  #expiry: NodeJS.Timeout | undefined;

  /** @param ms how long it stays, in milliseconds. @param onExpiry is called when that is over for an agent. */
  constructor(ms: number, onExpiry: () => void) {
    this.#ms = ms;
    this.#onExpiry = onExpiry;
  }

  /** What is in force in place of a decision that is no answer; undefined for a new agent, and when the time is over. */
  insteadOf({ failure, reason }: GateDecision, { last }: GateQuestion): GateDecision | undefined {
    if (!last?.flag || last.value === null || isOver(last.until)) return undefined;
    const { known = { reason: last.reason, atMs: performance.now() } } = last;
    const leftMs = known.atMs + this.#ms - performance.now();
    if (leftMs <= 0) return undefined;
    this.#expiry ??= setTimeout(() => {
      this.#expiry = undefined;
      this.#onExpiry();
    }, leftMs).unref();
    const why = failure === 'TYPE_MISMATCH' ? reason : failure;
    return { ...last, known, reason: `${known.reason}, as was last known (${why})` };
  }

  close(): void {
    clearTimeout(this.#expiry);
  }
}

/** @returns `last` itself when the decision is that still: then nothing is to be done. */
export function unlessNew(decision: GateDecision, last: GateDecision | undefined): GateDecision {
  return last && isSame(last, decision) ? last : decision;
}

function isSame(a: GateDecision, b: GateDecision): boolean {
  return a.value === b.value && a.reason === b.reason && a.flag?.variant === b.flag?.variant;
}
