import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Log } from '../util/log.ts';

/** The kernel had no room for `n` events: processes or threads may have been missed, so taut scans all again. */
export function reportLost(log: Log, n: number): void {
  log.warn(`${n} events of the kernel were lost; looking at every process again`);
  emit('taut.events_lost', { [semconv.ATTR_TAUT_EVENTS_LOST]: n });
}
