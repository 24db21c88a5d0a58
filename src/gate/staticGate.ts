import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';

/** The command line decides: closed, or open to one value of each knob; a rule's own value goes before it. */
export function staticGate(targets: Targets): Gate {
  return {
    decide: (question) => decide(question, targets),
    onChange: () => () => {},
    close: async () => {},
  };
}

function decide({ knob, ruleId, ruleTarget }: GateQuestion, targets: Targets): GateDecision {
  const value = targets.get(knob.id);
  if (value === undefined) return { value: null, reason: `--${knob.option} was not given` };
  if (ruleTarget === 'off') return { value: null, reason: `rule ${ruleId} says off` };
  if (ruleTarget !== undefined)
    return { value: ruleTarget, reason: `--${knob.option}; rule ${ruleId} gives the value` };
  return { value, reason: `--${knob.option}` };
}

/** `--observe-only`: never, whatever else was said. */
export function observeOnlyGate(): Gate {
  return {
    decide: () => ({ value: null, reason: '--observe-only' }),
    onChange: () => () => {},
    close: async () => {},
  };
}
