import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';

/**
 * A gate that decides by the command line: no tuning, or one value for each knob. The value of a rule comes first.
 * @param why the words that ask for it, by the knob's id, where they are not the knob's own option.
 * @param configured the ids of the knobs on which a configuration decided.
 */
export function staticGate(
  targets: Targets,
  why: ReadonlyMap<string, string> = new Map(),
  configured: ReadonlySet<string> = new Set(),
): Gate {
  return {
    decide: (question) => {
      const { id } = question.knob;
      return decide(question, targets, why.get(id), configured.has(id) ? 'configuration' : 'option');
    },
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
  layer: 'option' | 'configuration',
): GateDecision {
  const value = targets.get(knob.id);
  if (value === undefined) {
    if (why !== undefined) return { layer, value: null, reason: why };
    return { layer: 'off', value: null, reason: `--${knob.option} was not given` };
  }
  const given = why ?? `--${knob.option}`;
  if (asked === 'off') return { layer: 'option', value: null, reason: NOT_ASKED };
  if (typeof ruleTarget === 'bigint')
    return { layer, value: ruleTarget, reason: `${given}; rule ${ruleId} gives the value` };
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
