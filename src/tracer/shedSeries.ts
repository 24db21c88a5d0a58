/**
 * Separates one agent's series by what was shed while they were recorded: a fully recorded series and a sampled one
 * must not be added. Keeps state, but has no other effects.
 */
import { add, subtract } from './arithmetic.ts';
import type { Series, Shed } from './series.ts';

const partOf = ({ quantity, source, slackClass, tuned, slice }: Series) =>
  JSON.stringify([quantity, source, slackClass, tuned, slice]);

export class ShedSeries {
  #now: Shed | undefined;
  /** What the kernel had counted when `#now` began. */
  #base = new Map<string, Series>();
  /** What was counted before, by what was shed. */
  readonly #past = new Map<string, Series>();

  /** @param past what was counted before, as `split` returned it. */
  constructor(now: Shed | undefined, past: readonly Series[] = []) {
    this.#now = now;
    for (const series of past) this.#past.set(this.#key(series), series);
  }

  /** `counted` (cumulative) was recorded under the present setting; later counts are recorded under `next`. */
  change(counted: readonly Series[], next: Shed | undefined): void {
    this.absorb(this.#since(counted));
    this.#base = new Map(counted.map((series) => [partOf(series), series]));
    this.#now = next;
  }

  /** Adds what was counted elsewhere, as `split` returned it. */
  absorb(past: readonly Series[]): void {
    for (const series of past) {
      const key = this.#key(series);
      const before = this.#past.get(key);
      this.#past.set(key, before ? { ...series, histogram: add(before.histogram, series.histogram) } : series);
    }
  }

  /** Splits what the kernel has counted so far. Min and max are known only while the setting has not changed. */
  split(counted: readonly Series[]): Series[] {
    const all = new Map(this.#past);
    for (const series of this.#since(counted)) {
      const key = this.#key(series);
      const before = all.get(key);
      all.set(key, before ? { ...series, histogram: add(before.histogram, series.histogram) } : series);
    }
    return [...all.values()];
  }

  #since(counted: readonly Series[]): Series[] {
    const shed = this.#now === undefined ? {} : { shed: this.#now };
    return counted.flatMap((series) => {
      const base = this.#base.get(partOf(series));
      const histogram = base ? subtract(series.histogram, base.histogram) : series.histogram;
      return histogram.count > 0 ? [{ ...series, ...shed, histogram }] : [];
    });
  }

  #key(series: Series): string {
    return `${partOf(series)} ${series.shed?.factor} ${series.shed?.detail}`;
  }
}
