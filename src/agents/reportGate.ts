/** Tells what the gate has decided on a knob of an agent: as attributes of a span, and as an event when it changes. */
import type { Span } from '@opentelemetry/api';
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

/** @param about the span of the decision. */
export function reportGateChanged(agent: AgentIdentity, knob: Knob, decision: GateDecision, about: Span): void {
  const to = decision.value === null ? 'left as it is' : `set to ${knob.format(decision.value)}`;
  const body = `${agent.name} (${agent.pid}): ${knob.title} is ${to} from now on: ${decision.reason}`;
  emit('taut.gate_changed', { ...attributesOf(agent), ...gateAttributes(knob, decision) }, { body, about });
}

/**
 * The evaluation of a feature flag from which a decision came; nothing when no flag was evaluated, or when the decision is
 * an earlier one. @param about the span of the decision. @param before what was decided before; undefined for a new agent.
 */
export function reportEvaluation(
  agent: AgentIdentity,
  knob: Knob,
  decision: GateDecision,
  about: Span,
  before: GateDecision | undefined,
): void {
  const { flag, failure, known, isDamped, reason } = decision;
  if (!flag || known || isDamped) return;
  const attributes = {
    ...attributesOf(agent),
    [semconv.ATTR_TAUT_KNOB]: knob.id,
    [semconv.ATTR_TAUT_GATE_VALUE]: said(decision),
    ...(before && { [semconv.ATTR_TAUT_GATE_VALUE_BEFORE]: said(before) }),
    ...flagAttributes(decision),
    ...(flag.context !== undefined && { [semconv.ATTR_FEATURE_FLAG_CONTEXT_ID]: flag.context }),
    ...(flag.value !== undefined && { [semconv.ATTR_FEATURE_FLAG_RESULT_VALUE]: flag.value }),
    ...(failure !== undefined && {
      [semconv.ATTR_ERROR_TYPE]: errorType(failure),
      [semconv.ATTR_ERROR_MESSAGE]: reason,
    }),
  };
  emit('feature_flag.evaluation', attributes, { body: `${agent.name} (${agent.pid}): ${reason}`, about });
}

/** OpenFeature's codes are words in capitals; the conventions have them in small letters. */
function errorType(failure: string): string {
  return /^[A-Z_]+$/.test(failure) ? failure.toLowerCase() : 'general';
}

function attributesOf({ pid, name }: AgentIdentity) {
  return { [semconv.ATTR_PROCESS_PID]: pid, [semconv.ATTR_TAUT_AGENT_NAME]: name };
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
