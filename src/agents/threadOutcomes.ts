/**
 * Counts tuned threads by outcome. An agent may start a thread every millisecond, so threads that are born after their
 * agent was tuned are reported in batches: at most one batch in five seconds.
 */
import type { Attributes, Span } from '@opentelemetry/api';
import * as semconv from '../telemetry/semconv.ts';
import { fail } from './trace.ts';

const BATCH_MS = 5_000;

export type Outcomes = ReadonlyMap<string, number>;

export interface LaterBatch {
  /** When the first thread was reported and the last one was read back: milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly outcomes: Outcomes;
}

export class ThreadOutcomes {
  readonly #onCounted: (outcomes: Outcomes) => void;
  readonly #reportLater: (batch: LaterBatch) => void;
  #now = new Map<string, number>();
  #batch: { startMs: number; endMs: number; outcomes: Map<string, number> } | undefined;

  /**
   * @param onCounted called at the end of each piece of work
   * @param reportLater called with each batch of later threads
   */
  constructor(onCounted: (outcomes: Outcomes) => void, reportLater: (batch: LaterBatch) => void) {
    this.#onCounted = onCounted;
    this.#reportLater = reportLater;
  }

  count(outcome: string, n = 1): void {
    this.#now.set(outcome, (this.#now.get(outcome) ?? 0) + n);
  }

  /** Returns what was counted since the last call. */
  take(): Outcomes {
    const taken = this.#now;
    this.#now = new Map();
    this.#onCounted(taken);
    return taken;
  }

  /** As `take`, for later threads: adds them to the current batch. */
  takeLater(startMs: number, endMs: number): void {
    const taken = this.take();
    if (taken.size === 0) return;
    this.#batch ??= { startMs, endMs, outcomes: new Map() };
    this.#batch.endMs = endMs;
    const { outcomes } = this.#batch;
    for (const [outcome, n] of taken) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + n);
  }

  /** Reports the current batch if it is at least five seconds old at `nowMs`. */
  look(nowMs: number): void {
    if (this.#batch && nowMs - this.#batch.startMs >= BATCH_MS) this.end();
  }

  /** Reports the current batch now. */
  end(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch) this.#reportLater(batch);
  }
}

/** Outcomes of a thread that taut was to tune, and could not. */
const FAILURES = ['denied', 'invalid', 'unverified'] as const;

/** Marks a span as failed when a thread could not be tuned: whoever looks for errors finds it. */
export function failBy(span: Span, outcomes: Outcomes): void {
  const [type] = FAILURES.filter((outcome) => outcomes.has(outcome));
  if (type !== undefined) fail(span, type, `${outcomes.get(type)} threads: ${type}`);
}

/** The attributes `taut.threads.total` and `taut.threads.<outcome>`. */
export function threadsBy(outcomes: Outcomes): Attributes {
  const by = [...outcomes].map(([outcome, n]) => [`${semconv.ATTR_TAUT_THREADS}.${outcome}`, n]);
  const total = [...outcomes.values()].reduce((sum, n) => sum + n, 0);
  return { [semconv.ATTR_TAUT_THREADS_TOTAL]: total, ...Object.fromEntries(by) };
}
