/** Sums over what a tracer has counted. */
import type { Quantity, Series } from '../../src/tracer/series.ts';
import type { Tracer } from '../../src/tracer/tracer.ts';

function matching(series: readonly Series[], quantity: Quantity, match: Partial<Series>): Series[] {
  return series.filter(
    (s) => s.quantity === quantity && Object.entries(match).every(([k, v]) => s[k as keyof Series] === v),
  );
}

export function countOf(series: readonly Series[], quantity: Quantity, match: Partial<Series> = {}): number {
  return matching(series, quantity, match).reduce((sum, s) => sum + s.histogram.count, 0);
}

/** Nanoseconds. */
export function sumOf(series: readonly Series[], quantity: Quantity, match: Partial<Series> = {}): bigint {
  return matching(series, quantity, match).reduce((sum, s) => sum + s.histogram.sumNs, 0n);
}

/** The sum of the counters whose names match. */
export function counted(tracer: Pick<Tracer, 'counters'>, pattern: RegExp): number {
  return [...tracer.counters()].reduce((sum, [name, value]) => (pattern.test(name) ? sum + value : sum), 0);
}

/**
 * Wakeups that are in no histogram: the kernel ran no program at one of their steps, or the thread had not gone to sleep
 * yet and made no wait. Not those that were on their way at the end, as a fixture that waits for words always is.
 */
export function leftOut(tracer: Pick<Tracer, 'counters'>): number {
  return counted(tracer, /^discard_(?!detached)/);
}

/** Both sides of the ledger of wakeups, read in one collection. */
export function ledger(tracer: Pick<Tracer, 'counters'>): { seen: number; decided: number } {
  const counters = tracer.counters();
  return {
    seen: counters.get('wakeup_seen') ?? Number.NaN,
    decided: counted({ counters: () => counters }, /^wakeup_recorded$|^discard_/),
  };
}
