/** Tells of changes in how well, and how much, the agents are measured: a log line and an event for each. */
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import { SEVERITY } from '../telemetry/severity.ts';
import type { Mode } from '../tracer/features.ts';
import type { Shed } from '../tracer/series.ts';
import type { Log } from '../util/log.ts';

/** The canary and the tracer disagree (`reason`), or agree again. */
export function reportDegraded(log: Log, mode: Mode, reason: string | undefined): void {
  const modeAttribute = { [semconv.ATTR_TAUT_TRACER_MODE]: mode };
  if (reason === undefined) {
    const body = 'what is measured is reliable again';
    log.info(body);
    const attributes = { [semconv.ATTR_TAUT_TRACER_STATE]: 'ok', ...modeAttribute };
    emit('taut.tracer_degraded', attributes, { body, severity: SEVERITY.INFO });
    return;
  }
  const body = `what is measured is not reliable now (degraded): ${reason}`;
  log.warn(body);
  const states = { [semconv.ATTR_TAUT_TRACER_STATE]: 'degraded', [semconv.ATTR_TAUT_TRACER_REASON]: reason };
  emit('taut.tracer_degraded', { ...states, ...modeAttribute }, { body });
}

/** The amount that is shed has changed, to stay below the limit. `cost` and `limit`: percent of a core. */
export function reportShedding(log: Log, mode: Mode, shed: Shed | undefined, cost: number, limit: number): void {
  const of = shed && shed.factor > 1 ? `, for one wakeup in ${shed.factor}` : '';
  const what = !shed ? 'everything' : `only how late timers fire and how long threads wait for a CPU${of}`;
  const body = `measuring costs ${cost.toFixed(3)}% of a core, the limit is ${limit}%: from now on taut records ${what}`;
  log.warn(body);
  const attributes = {
    [semconv.ATTR_TAUT_SAMPLING_FACTOR]: shed?.factor ?? 1,
    [semconv.ATTR_TAUT_SHED_DETAIL]: shed !== undefined,
    [semconv.ATTR_TAUT_OVERHEAD_COST]: cost,
    [semconv.ATTR_TAUT_OVERHEAD_LIMIT]: limit,
    [semconv.ATTR_TAUT_TRACER_MODE]: mode,
  };
  emit('taut.shedding', attributes, { body });
}
