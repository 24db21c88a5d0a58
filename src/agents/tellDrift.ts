/** Tells of a tuned thread that another program has set: a log line, and an event with both values. */
import type { Drift } from '../actuator/converge.ts';
import type { Knob } from '../actuator/knob.ts';
import type { Restored } from '../actuator/restore.ts';
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Log } from '../util/log.ts';
import type { AgentIdentity } from './identity.ts';

export function tellDrift(log: Log, agent: AgentIdentity, knob: Knob, drift: Drift): void {
  const { tid, expected, found } = drift;
  sayDrift(log, agent, knob, drift);
  emitDrift({ pid: agent.pid, agent: agent.name, tid, knob: knob.id, target: expected, was: found });
}

/** The log line alone. */
export function sayDrift(log: Log, { pid, name }: AgentIdentity, knob: Knob, { tid, found }: Drift): void {
  log.warn(
    `the ${knob.title} of thread ${tid} of ${name} (${pid}) was set to ${knob.format(found)} by somebody else; left alone`,
  );
}

/** The event alone. */
export function emitDrift(drifted: Pick<Restored, 'pid' | 'agent' | 'tid' | 'knob' | 'target' | 'was'>): void {
  const { pid, agent, tid, knob, target, was } = drifted;
  emit('taut.drift', {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_TAUT_AGENT_NAME]: agent,
    [semconv.ATTR_THREAD_ID]: tid,
    [semconv.ATTR_TAUT_KNOB]: knob,
    [semconv.ATTR_TAUT_DRIFT_EXPECTED]: Number(target),
    ...(was === undefined ? {} : { [semconv.ATTR_TAUT_DRIFT_FOUND]: Number(was) }),
  });
}
