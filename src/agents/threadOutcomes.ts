/**
 * What became of threads that were tuned, by outcome. Those that come one by one after their agent was tuned are told of
 * together, as one may come every millisecond: at most one batch in five seconds, however many there are.
 */
import type { Attributes } from '@opentelemetry/api';
import * as semconv from '../telemetry/semconv.ts';

const BATCH_MS = 5_000;

export type Outcomes = ReadonlyMap<string, number>;

export interface LaterBatch {
  /** When the first was heard of and the last was read back: milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly outcomes: Outcomes;
}

export class ThreadOutcomes {
  readonly #onCounted: (outcomes: Outcomes) => void;
  readonly #tellLater: (batch: LaterBatch) => void;
  #now = new Map<string, number>();
  #batch: { startMs: number; endMs: number; outcomes: Map<string, number> } | undefined;

  /**
   * @param onCounted at the end of each piece of work
   * @param tellLater for those that came later, when it is time to tell of them
   */
  constructor(onCounted: (outcomes: Outcomes) => void, tellLater: (batch: LaterBatch) => void) {
    this.#onCounted = onCounted;
    this.#tellLater = tellLater;
  }

  count(outcome: string, n = 1): void {
    this.#now.set(outcome, (this.#now.get(outcome) ?? 0) + n);
  }

  /** What was counted since the last call. */
  take(): Outcomes {
    const taken = this.#now;
    this.#now = new Map();
    this.#onCounted(taken);
    return taken;
  }

  /** The same of threads that came later: they are told of when it is time. */
  takeLater(startMs: number, endMs: number): void {
    const taken = this.take();
    if (taken.size === 0) return;
    this.#batch ??= { startMs, endMs, outcomes: new Map() };
    this.#batch.endMs = endMs;
    const { outcomes } = this.#batch;
    for (const [outcome, n] of taken) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + n);
  }

  /** Tells of those that came later, if the first of them came long enough before `nowMs`. */
  look(nowMs: number): void {
    if (this.#batch && nowMs - this.#batch.startMs >= BATCH_MS) this.end();
  }

  /** Tells of those that came later. */
  end(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch) this.#tellLater(batch);
  }
}

/** `taut.threads.total`, and `taut.threads.<outcome>` of each. */
export function threadsBy(outcomes: Outcomes): Attributes {
  const by = [...outcomes].map(([outcome, n]) => [`${semconv.ATTR_TAUT_THREADS}.${outcome}`, n]);
  const total = [...outcomes.values()].reduce((sum, n) => sum + n, 0);
  return { [semconv.ATTR_TAUT_THREADS_TOTAL]: total, ...Object.fromEntries(by) };
}
