import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';

/** A gate that decides by the command line: no tuning, or one value for each knob. The value of a rule comes first. */
export function staticGate(targets: Targets): Gate {
  return {
    decide: (question) => decide(question, targets),
    onChange: () => () => {},
    close: async () => {},
  };
}

/** The reason for a process that a `taut run` handed over without a target. */
export const NOT_ASKED = 'the taut run that started it did not ask for it';

function decide({ knob, ruleId, ruleTarget, asked }: GateQuestion, targets: Targets): GateDecision {
  const value = targets.get(knob.id);
  if (value === undefined) return { value: null, reason: `--${knob.option} was not given` };
  if (ruleTarget === 'off') return { value: null, reason: `rule ${ruleId} says off` };
  if (asked === 'off') return { value: null, reason: NOT_ASKED };
  if (ruleTarget !== undefined)
    return { value: ruleTarget, reason: `--${knob.option}; rule ${ruleId} gives the value` };
  if (asked !== undefined) return { value: asked, reason: `--${knob.option}; taut run gives the value` };
  return { value, reason: `--${knob.option}` };
}

/** A gate that never allows tuning. */
export function observeOnlyGate(reason = '--observe-only'): Gate {
  return {
    decide: () => ({ value: null, reason }),
    onChange: () => () => {},
    close: async () => {},
  };
}
