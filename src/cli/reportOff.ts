/** Tells that the kill switch was turned: to the backends, and to who would see something tuned otherwise. */
import { describeOff, type Off } from '../actuator/off.ts';
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import { SEVERITY } from '../telemetry/severity.ts';
import type { Log } from '../util/log.ts';

/** @param off undefined: it is on again. @param log undefined: nothing is to be tuned anyway. */
export function sayOff(off: Off | undefined, log: Log | undefined): void {
  const body = off ? describeOff(off) : 'tuning is on again: options, flags and rules decide';
  if (off) log?.warn(`${body}; measuring goes on, and taut on lifts that`);
  else log?.info(body);
  emit(
    'taut.switched',
    {
      [semconv.ATTR_TAUT_OFF]: off !== undefined,
      ...(off?.reason && { [semconv.ATTR_TAUT_OFF_REASON]: off.reason }),
    },
    { severity: off ? SEVERITY.WARN : SEVERITY.INFO, body },
  );
}
