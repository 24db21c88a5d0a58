/** Tells what the guardrail has found: a sentence, a log line and an event. */
import { ofHost } from '../config/guardrail.ts';
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Log } from '../util/log.ts';
import { MEASURES } from './guardrailMeasures.ts';
import type { Harm } from './guardrailTrial.ts';
import type { AgentIdentity } from './identity.ts';

/** Why an agent is put back, with the figures. */
export function describeHarm({ measure, limit, found, tuned, times, blocks, errorRate }: Harm): string {
  const { title, format } = MEASURES[measure];
  const whose = Object.hasOwn(ofHost, measure) ? "the host's" : 'its';
  const few = (n: number) => n.toPrecision(2).replace(/e\+?(-?\d+)$/, 'e$1');
  const between = Number.isFinite(times.high)
    ? `${few(times.low)} to ${few(times.high)} times`
    : `at least ${few(times.low)} times`;
  const sure = `${between} as much, wrong in ${Number((100 * errorRate).toPrecision(2))}% of cases at most`;
  return `guardrail: tuning makes ${whose} ${title} worse: ${format(tuned)} with it, ${format(found)} without (${blocks} blocks: ${sure}; the limit is ${few(1 + limit)} times)`;
}

/** @param identity undefined: it was the host that was harmed. */
export function reportHarm(
  log: Log,
  identity: AgentIdentity | undefined,
  harm: Harm,
  reason: string,
  untilMs: number,
): void {
  const whom = identity ? `${identity.name} (${identity.pid})` : 'every agent';
  const until = new Date(untilMs).toISOString();
  log.warn(`putting ${whom} back until ${until}: ${reason}`);
  emit('taut.guardrail', {
    ...(identity && {
      [semconv.ATTR_PROCESS_PID]: identity.pid,
      [semconv.ATTR_TAUT_AGENT_NAME]: identity.name,
    }),
    [semconv.ATTR_TAUT_GATE_REASON]: reason,
    [semconv.ATTR_TAUT_GUARDRAIL_MEASURE]: harm.measure,
    [semconv.ATTR_TAUT_GUARDRAIL_LIMIT]: 1 + harm.limit,
    [semconv.ATTR_TAUT_GUARDRAIL_FOUND]: harm.found,
    [semconv.ATTR_TAUT_GUARDRAIL_TUNED]: harm.tuned,
    [semconv.ATTR_TAUT_GUARDRAIL_TIMES_LOW]: harm.times.low,
    ...(Number.isFinite(harm.times.high) && { [semconv.ATTR_TAUT_GUARDRAIL_TIMES_HIGH]: harm.times.high }),
    [semconv.ATTR_TAUT_GUARDRAIL_BLOCKS]: harm.blocks,
    [semconv.ATTR_TAUT_GUARDRAIL_ERROR_RATE]: harm.errorRate,
    [semconv.ATTR_TAUT_GUARDRAIL_UNTIL]: until,
  });
}
