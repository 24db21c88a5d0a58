/** Registers the observed metrics of the table. */
import type { Attributes, Meter, MetricOptions, ObservableResult } from '@opentelemetry/api';
import { descriptor, METRICS, metricsFrom, type Observed } from './metrics.ts';
import type { Observable, Reading } from './observable.ts';
import { tautMeter } from './scope.ts';

const INSTRUMENT: Record<Observed['kind'], (meter: Meter, name: string, options: MetricOptions) => Instrument> = {
  counter: (meter, name, options) => meter.createObservableCounter(name, options),
  'up-down counter': (meter, name, options) => meter.createObservableUpDownCounter(name, options),
  gauge: (meter, name, options) => meter.createObservableGauge(name, options),
};

type Instrument = ReturnType<Meter['createObservableGauge']>;

/** @param common attributes of every point. @returns a function that ends observing. */
export function observeAll(observable: Observable, common: Attributes): () => void {
  const meter = tautMeter();
  const ends = metricsFrom('observed').map((metric) => {
    const { kind, observe }: Observed = METRICS[metric];
    const { name, ...options } = descriptor(metric);
    const instrument = INSTRUMENT[kind](meter, name, options);
    const sums = new Sums();
    const callback = (result: ObservableResult) => {
      const readings = observe(observable);
      for (const { value, by } of kind === 'up-down counter' ? sums.of(readings) : readings)
        result.observe(value, { ...by, ...common });
    };
    instrument.addCallback(callback);
    return () => instrument.removeCallback(callback);
  });
  return () => {
    for (const end of ends) end();
  };
}

/**
 * Adds readings with the same attributes. A set of attributes that has disappeared is reported as 0: the SDK goes on
 * exporting the value that was observed last, so it would count agents for ever that have ended or are tuned now.
 */
class Sums {
  readonly #known = new Map<string, Attributes | undefined>();

  of(readings: readonly Reading[]): Reading[] {
    const sums = new Map<string, number>();
    for (const { value, by } of readings) {
      const key = JSON.stringify(by);
      this.#known.set(key, by);
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return [...this.#known].map(([key, by]) => ({ value: sums.get(key) ?? 0, ...(by && { by }) }));
  }
}
