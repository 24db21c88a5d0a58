/**
 * Compares the arms of a roll-out, with intervals. What one agent or one host waits for hangs together, so whole units are drawn: with
 * replacement, as many as there are, a thousand times. The interval has the middle 95% of what these draws come to. Pure.
 */
import { seeded } from '../../util/seeded.ts';
import type { Cells, Counts } from './distribution.ts';
import { type Histogram, MEASURE_NAMES, MEASURES, type MeasureName } from './measures.ts';

/** What is drawn: an agent, or a host with all of its agents. */
export interface Unit {
  /** By the variant; a unit may have several. */
  readonly arms: ReadonlyMap<string, Readonly<Partial<Record<Histogram, Counts>>>>;
}

export interface Estimate {
  /** Seconds, or a share of 1; null when there was nothing to measure. */
  readonly value: number | null;
  /** Null when there are too few units to say. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Compared {
  readonly arms: ReadonlyMap<string, Readonly<Record<MeasureName, Estimate>>>;
  /** Of each other arm: what it has more than the baseline. */
  readonly differences: ReadonlyMap<string, Readonly<Record<MeasureName, Estimate>>>;
}

const DRAWS = 1_000;
/** With fewer units in an arm, draws of them say little of the others that there could be. */
export const FEWEST = 8;

export function compare(
  units: readonly Unit[],
  cells: Readonly<Record<Histogram, Cells>>,
  variants: readonly string[],
  baseline: string,
): Compared {
  const own = variants.map((variant) => units.filter(({ arms }) => arms.has(variant)).length);
  const point = measured(units, undefined, cells, variants);
  const draws = own.some((n) => n >= FEWEST) ? draw(units, cells, variants) : [];
  const base = variants.indexOf(baseline);
  const about = (of: (values: Values, name: MeasureName) => number, isFew: boolean) =>
    byName((name) => {
      const drawn = isFew ? [] : draws.map((values) => of(values, name)).filter((value) => !Number.isNaN(value));
      const value = of(point, name);
      return { value: Number.isNaN(value) ? null : value, ...interval(drawn) };
    });
  const isFew = (arm: number) => (own[arm] ?? 0) < FEWEST;
  const at = (values: Values, arm: number, name: MeasureName) => values[arm]?.[name] ?? Number.NaN;
  const alone = (arm: number) => about((values, name) => at(values, arm, name), isFew(arm));
  const beside = (arm: number) =>
    about((values, name) => at(values, arm, name) - at(values, base, name), isFew(arm) || isFew(base));
  return {
    arms: new Map(variants.map((variant, arm) => [variant, alone(arm)])),
    differences: new Map(variants.flatMap((variant, arm) => (arm === base ? [] : [[variant, beside(arm)] as const]))),
  };
}

/** By arm. */
type Values = readonly Readonly<Record<MeasureName, number>>[];

function draw(
  units: readonly Unit[],
  cells: Readonly<Record<Histogram, Cells>>,
  variants: readonly string[],
): Values[] {
  const random = seeded(1);
  const times = new Uint32Array(units.length);
  return Array.from({ length: DRAWS }, () => {
    times.fill(0);
    for (let i = 0; i < units.length; i++) {
      const drawn = Math.floor(random() * units.length);
      times[drawn] = (times[drawn] ?? 0) + 1;
    }
    return measured(units, times, cells, variants);
  });
}

/** @param times how often each unit counts. Default: once. */
function measured(
  units: readonly Unit[],
  times: Uint32Array | undefined,
  cells: Readonly<Record<Histogram, Cells>>,
  variants: readonly string[],
): Values {
  return variants.map((variant) => {
    const sums = { lateness: cells.lateness.empty(), queue: cells.queue.empty() };
    for (const [i, { arms }] of units.entries()) {
      const n = times?.[i] ?? (times ? 0 : 1);
      const arm = n > 0 ? arms.get(variant) : undefined;
      if (!arm) continue;
      for (const kind of ['lateness', 'queue'] as const) add(sums[kind], arm[kind], n);
    }
    return byName((name) => MEASURES[name].read(cells[MEASURES[name].of], sums[MEASURES[name].of]));
  });
}

function add(to: Counts, counts: Counts | undefined, times: number): void {
  if (counts) for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + times * (counts[i] ?? 0);
}

function interval(drawn: readonly number[]): Pick<Estimate, 'low' | 'high'> {
  if (drawn.length < DRAWS / 2) return { low: null, high: null };
  const sorted = drawn.toSorted((a, b) => a - b);
  const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))] ?? null;
  return { low: at(0.025), high: at(0.975) };
}

function byName<T>(of: (name: MeasureName) => T): Record<MeasureName, T> {
  return Object.fromEntries(MEASURE_NAMES.map((name) => [name, of(name)])) as Record<MeasureName, T>;
}
