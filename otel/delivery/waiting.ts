/** Observes how much waits for a backend, of each signal. */
import { descriptor, METRICS, metricsFrom } from '../../src/telemetry/metrics.ts';
import { tautMeter } from '../../src/telemetry/scope.ts';
import * as semconv from '../../src/telemetry/semconv.ts';
import type { SignalName } from '../environment.ts';
import type { Depth } from './queue.ts';

/** @param waiting asked at each collection, until the meters end. Call when they have begun. */
export function observeWaiting(waiting: () => ReadonlyMap<SignalName, Depth>): void {
  const meter = tautMeter();
  for (const metric of metricsFrom('delivery')) {
    const { name, ...options } = descriptor(metric);
    meter.createObservableUpDownCounter(name, options).addCallback((result) => {
      for (const [signal, depth] of waiting())
        result.observe(METRICS[metric].read(depth), { [semconv.ATTR_TAUT_TELEMETRY_SIGNAL]: signal });
    });
  }
}
