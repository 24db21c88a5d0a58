/**
 * Separates one agent's series by what was in force while they were recorded: a fully recorded series and a sampled one must not
 * be added, nor those of two variants of a flag. Keeps state, but has no other effects.
 */
import { add, subtract } from './arithmetic.ts';
import type { FlagVariant, Series, Shed } from './series.ts';

/** Undefined: nothing was shed; no flag decided. */
export interface Setting {
  readonly shed?: Shed | undefined;
  readonly flag?: FlagVariant | undefined;
}

const partOf = ({ quantity, source, slackClass, tuned, slice }: Series) =>
  JSON.stringify([quantity, source, slackClass, tuned, slice]);

/** What tells a series of a process from its others. */
export function keyOf({ shed, flag, ...series }: Series): string {
  return JSON.stringify([partOf(series), shed?.factor, shed?.detail, flag?.key, flag?.variant]);
}

export class SeriesBySetting {
  #now: Setting;
  /** What the kernel had counted when `#now` began. */
  #base = new Map<string, Series>();
  /** What was counted before, by what was in force. */
  readonly #past = new Map<string, Series>();

  /** @param past what was counted before, as `split` returned it. */
  constructor(now: Setting, past: readonly Series[] = []) {
    this.#now = now;
    for (const series of past) this.#past.set(keyOf(series), series);
  }

  get setting(): Setting {
    return this.#now;
  }

  /** `counted` (cumulative) was recorded under the present setting; later counts are recorded under `next`. */
  change(counted: readonly Series[], next: Setting): void {
    this.absorb(this.#since(counted));
    this.#base = new Map(counted.map((series) => [partOf(series), series]));
    this.#now = next;
  }

  /** What was recorded under the present setting counts as recorded under `now`. Only while nobody has read it. */
  rename(now: Setting): void {
    this.#now = now;
  }

  /** Adds what was counted elsewhere, as `split` returned it. */
  absorb(past: readonly Series[]): void {
    for (const series of past) {
      const key = keyOf(series);
      const before = this.#past.get(key);
      this.#past.set(key, before ? { ...series, histogram: add(before.histogram, series.histogram) } : series);
    }
  }

  /** Splits what the kernel has counted so far. Min and max are known only while the setting has not changed. */
  split(counted: readonly Series[]): Series[] {
    const all = new Map(this.#past);
    for (const series of this.#since(counted)) {
      const key = keyOf(series);
      const before = all.get(key);
      all.set(key, before ? { ...series, histogram: add(before.histogram, series.histogram) } : series);
    }
    return [...all.values()];
  }

  #since(counted: readonly Series[]): Series[] {
    const { shed, flag } = this.#now;
    const setting = { ...(shed && { shed }), ...(flag && { flag }) };
    return counted.flatMap((series) => {
      const base = this.#base.get(partOf(series));
      const histogram = base ? subtract(series.histogram, base.histogram) : series.histogram;
      return histogram.count > 0 ? [{ ...series, ...setting, histogram }] : [];
    });
  }
}
