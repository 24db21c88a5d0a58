/** Fills the JSON documents about agents (`documents.ts`). */
import type { Knob } from '../actuator/knob.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import type { GateDecision } from '../gate/gate.ts';
import type { Agent } from './agent.ts';
import type { AgentEvent, AgentStatus, KnobStatus } from './documents.ts';
import { gateNow } from './knobTuning.ts';
import type { Waits } from './waits.ts';

export type { AgentEvent, AgentStatus, StatusDocument, TracerStatus } from './documents.ts';

export function agentEvent(event: AgentEvent['event'], agent: Agent, waits?: Waits, knob?: Knob): AgentEvent {
  return { at: new Date().toISOString(), event, ...(knob && { knob: knob.id }), agent: agentStatus(agent, waits) };
}

export function agentStatus(agent: Agent, waits?: Waits): AgentStatus {
  const { pid, name, rule, attachPath } = agent.identity;
  const knobs = agent.tunings.map((tuning) => ({
    id: tuning.knob.id,
    target: tuning.target === undefined ? null : Number(tuning.target),
    gate: gateStatus(gateNow(tuning)),
    threads: agent.counts(tuning.knob),
    ...(tuning.inheritedNs !== undefined && { inheritedCpu: Number(tuning.inheritedNs) / 1e9 }),
  }));
  const { target, gate, threads } = knobs[0] ?? NOTHING;
  return { pid, name, rule, attachPath, target, gate, threads, knobs, waits: waits ?? null };
}

const NOTHING: KnobStatus = {
  target: null,
  gate: { value: null, reason: '' },
  threads: { total: 0, original: 0, tuned: 0, drifted: 0, exempt: 0 },
};

/** As another taut tells of an agent: one of an earlier version names no knobs. */
type ToldStatus = KnobStatus & Partial<Pick<AgentStatus, 'knobs'>>;

/** The knobs of an agent. A taut that names none knows timer slack alone. */
export function knobsOf({ target, gate, threads, knobs }: ToldStatus): AgentStatus['knobs'] {
  return knobs ?? [{ id: timerSlack.id, target, gate, threads }];
}

/** Whether any knob is tuned. */
export function isTuned(told: ToldStatus): boolean {
  return knobsOf(told).some(({ target }) => target !== null);
}

function gateStatus({ value, reason, layer }: GateDecision): KnobStatus['gate'] {
  return { value: value === null ? null : Number(value), reason, ...(layer && { layer }) };
}
