/** Sums of a tracer's histograms and counters. */
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

/** Sum of the matching histograms, in nanoseconds. */
export function sumOf(series: readonly Series[], quantity: Quantity, match: Partial<Series> = {}): bigint {
  return matching(series, quantity, match).reduce((sum, s) => sum + s.histogram.sumNs, 0n);
}

/** The sum of the counters whose names match. */
export function counted(tracer: Pick<Tracer, 'counters'>, pattern: RegExp): number {
  return [...tracer.counters()].reduce((sum, [name, value]) => (pattern.test(name) ? sum + value : sum), 0);
}

/**
 * Wakeups that are in no histogram: the kernel ran no program at one of their steps, or the thread had not gone to
 * sleep yet. Wakeups that were unfinished at the end do not count: a fixture that waits for a command always has one.
 */
export function leftOut(tracer: Pick<Tracer, 'counters'>): number {
  return counted(tracer, /^discard_(?!detached)/);
}

/**
 * Timed waits that may be in no timer's histogram: wakeups that were left out, and those whose timer expired with no program
 * run for it, which count as woken by something else.
 */
export function untimed(tracer: Pick<Tracer, 'counters'>, series: readonly Series[]): number {
  return leftOut(tracer) + countOf(series, 'wakeup.run_queue_delay', { source: 'other' });
}

/** How many timers each slack class holds, as `CLASS` or, where the thread was tuned, `CLASS tuned`. */
export function timersByClass(series: readonly Series[]): Record<string, number> {
  const lateness = series.filter(({ quantity }) => quantity === 'timer.lateness');
  return Object.fromEntries(lateness.map((s) => [`${s.slackClass}${s.tuned ? ' tuned' : ''}`, s.histogram.count]));
}

/** As many timers as it should hold after `n` timed waits in each of these classes; undefined: they are in no timer's series. */
export function madeByClass(n: number, ...classes: readonly (string | undefined)[]): Record<string, number> {
  const made: Record<string, number> = {};
  for (const at of classes) if (at !== undefined) made[at] = (made[at] ?? 0) + n;
  return made;
}

/** Of each class of `made`, how many are not counted. */
export function missingByClass(made: Readonly<Record<string, number>>, counted: Readonly<Record<string, number>>) {
  return Object.entries(made).map(([at, n]) => n - (counted[at] ?? 0));
}

/** The wakeups that were seen, and those that were recorded or discarded, from one reading of the counters. */
export function ledger(tracer: Pick<Tracer, 'counters'>): { seen: number; decided: number } {
  const counters = tracer.counters();
  return {
    seen: counters.get('wakeup_seen') ?? Number.NaN,
    decided: counted({ counters: () => counters }, /^wakeup_recorded$|^discard_/),
  };
}
