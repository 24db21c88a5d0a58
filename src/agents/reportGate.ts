/** Tells what the gate has decided on a knob of an agent: as attributes of a span, and as an event when it changes. */
import type { Knob } from '../actuator/knob.ts';
import type { GateDecision } from '../gate/gate.ts';
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AgentIdentity } from './identity.ts';

export function gateAttributes(knob: Knob, decision: GateDecision) {
  return {
    [semconv.ATTR_TAUT_KNOB]: knob.id,
    [semconv.ATTR_TAUT_GATE_VALUE]: said(decision),
    [semconv.ATTR_TAUT_GATE_REASON]: decision.reason,
    ...(decision.layer && { [semconv.ATTR_TAUT_GATE_LAYER]: decision.layer }),
    ...flagAttributes(decision),
  };
}

export function reportGateChanged({ pid, name }: AgentIdentity, knob: Knob, decision: GateDecision): void {
  emit('taut.gate_changed', {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_TAUT_AGENT_NAME]: name,
    ...gateAttributes(knob, decision),
  });
}

/** A flag says something else about an agent than before: another variant, or another value. */
export function reportEvaluation(
  { pid, name }: AgentIdentity,
  knob: Knob,
  before: GateDecision,
  decision: GateDecision,
): void {
  const isSame = before.flag?.variant === decision.flag?.variant && before.value === decision.value;
  if (!decision.flag || isSame || decision.failure !== undefined) return;
  emit('feature_flag.evaluation', {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_TAUT_AGENT_NAME]: name,
    [semconv.ATTR_TAUT_KNOB]: knob.id,
    [semconv.ATTR_TAUT_GATE_VALUE]: said(decision),
    [semconv.ATTR_TAUT_GATE_VALUE_BEFORE]: said(before),
    ...flagAttributes(decision),
  });
}

const said = ({ value }: GateDecision) => (value === null ? 'off' : String(value));

function flagAttributes({ flag }: GateDecision) {
  if (!flag) return {};
  return {
    [semconv.ATTR_FEATURE_FLAG_KEY]: flag.key,
    [semconv.ATTR_FEATURE_FLAG_PROVIDER_NAME]: flag.provider,
    ...(flag.variant === undefined ? {} : { [semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT]: flag.variant }),
    ...(flag.reason === undefined ? {} : { [semconv.ATTR_FEATURE_FLAG_RESULT_REASON]: flag.reason.toLowerCase() }),
  };
}
