/** Tells of one thread what is not usual: that another program has set it, or that it can't be written or put back. */
import type { Span } from '@opentelemetry/api';
import type { Drift } from '../actuator/converge.ts';
import type { Knob } from '../actuator/knob.ts';
import type { Restored } from '../actuator/restore.ts';
import type { ThreadState } from '../actuator/thread.ts';
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Log } from '../util/log.ts';
import type { AgentIdentity } from './identity.ts';
import type { AgentTrace } from './trace.ts';

/** The agent that something is told of, and its trace. */
interface Told {
  readonly identity: AgentIdentity;
  readonly trace: AgentTrace;
}

/** Another program has set a tuned thread: a log line, and an event with both values. */
export function reportDrift(log: Log, { identity: agent, trace }: Told, knob: Knob, drift: Drift): void {
  const { tid, expected, found } = drift;
  sayDrift(log, agent, knob, drift);
  emitDrift({ pid: agent.pid, agent: agent.name, tid, knob: knob.id, target: expected, was: found }, trace.root);
}

/** The log line of a drift alone. */
export function sayDrift(log: Log, { pid, name }: AgentIdentity, knob: Knob, { tid, found }: Drift): void {
  log.warn(
    `the ${knob.title} of thread ${tid} of ${name} (${pid}) was set to ${knob.format(found)} by somebody else; left alone`,
  );
}

/** The event of a drift alone. @param about the span to which it belongs. */
export function emitDrift(
  drifted: Pick<Restored, 'pid' | 'agent' | 'tid' | 'knob' | 'target' | 'was'>,
  about: Span,
): void {
  const { pid, agent, tid, knob, target, was } = drifted;
  const body = `the ${knob} of thread ${tid} of ${agent} (${pid}) was set to ${was ?? 'another value'} by somebody else`;
  const attributes = {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_TAUT_AGENT_NAME]: agent,
    [semconv.ATTR_THREAD_ID]: tid,
    [semconv.ATTR_TAUT_KNOB]: knob,
    [semconv.ATTR_TAUT_DRIFT_EXPECTED]: Number(target),
    ...(was === undefined ? {} : { [semconv.ATTR_TAUT_DRIFT_FOUND]: Number(was) }),
  };
  emit('taut.drift', attributes, { body, about });
}

/** A thread could not be put back; it stays in the ledger. @param about the span to which it belongs. */
export function emitRestoreFailed({ pid, agent, tid, knob, detail }: Restored, about: Span): void {
  const why = detail === undefined ? '' : `: ${detail}`;
  const body = `the ${knob} of thread ${tid} of ${agent} (${pid}) could not be put back${why}`;
  const attributes = {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_TAUT_AGENT_NAME]: agent,
    [semconv.ATTR_THREAD_ID]: tid,
    [semconv.ATTR_TAUT_KNOB]: knob,
    ...(detail === undefined ? {} : { [semconv.ATTR_TAUT_RESTORE_DETAIL]: detail }),
  };
  emit('taut.restore_failed', attributes, { body, about });
}

/** A thread was looked at or written. Usual outcomes are only counted, elsewhere. */
export function sayOutcome(
  log: Log,
  { pid, name }: AgentIdentity,
  { title }: Knob,
  tid: number,
  { outcome, detail }: ThreadState,
): void {
  if (outcome === 'tuned' || outcome === 'already' || outcome === 'vanished') return;
  log.debug(`thread ${tid} of ${name} (${pid}): ${title} ${outcome}${detail ? `: ${detail}` : ''}`);
}
