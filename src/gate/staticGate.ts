import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';

/**
 * A gate that decides by the command line: no tuning, or one value for each knob. The value of a rule comes first.
 * @param why the words of the command line, by the knob's id, where they are not the knob's own option.
 */
export function staticGate(targets: Targets, why: ReadonlyMap<string, string> = new Map()): Gate {
  return {
    decide: (question) => decide(question, targets, why.get(question.knob.id)),
    onChange: () => () => {},
    close: async () => {},
  };
}

/** The reason for a process that a `taut run` handed over without a target. */
export const NOT_ASKED = 'the taut run that started it did not ask for it';

function decide(
  { knob, ruleId, ruleTarget, asked }: GateQuestion,
  targets: Targets,
  why: string | undefined,
): GateDecision {
  const value = targets.get(knob.id);
  if (value === undefined) {
    if (why !== undefined) return { layer: 'option', value: null, reason: why };
    return { layer: 'off', value: null, reason: `--${knob.option} was not given` };
  }
  const given = why ?? `--${knob.option}`;
  if (ruleTarget === 'off') return { layer: 'rule', value: null, reason: `rule ${ruleId} says off` };
  const layer = 'option';
  if (asked === 'off') return { layer, value: null, reason: NOT_ASKED };
  if (ruleTarget !== undefined) return { layer, value: ruleTarget, reason: `${given}; rule ${ruleId} gives the value` };
  if (asked !== undefined) return { layer, value: asked, reason: `${given}; taut run gives the value` };
  return { layer, value, reason: given };
}

/** A gate that never allows tuning. */
export function observeOnlyGate(reason = '--observe-only'): Gate {
  return {
    decide: () => ({ layer: 'never', value: null, reason }),
    onChange: () => () => {},
    close: async () => {},
  };
}
