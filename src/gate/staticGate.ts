import { DEFAULT_TARGET_NS, type Gate, type GateDecision, type GateQuestion } from './gate.ts';

/** The command line decides: closed, or open to one value; a rule's own value goes before it. */
export function staticGate(cliValue: bigint | undefined): Gate {
  return {
    decide: (question) => decide(question, cliValue),
    onChange: () => () => {},
    close: async () => {},
  };
}

function decide({ ruleId, ruleTarget }: GateQuestion, cliValue: bigint | undefined): GateDecision {
  if (cliValue === undefined) return { value: null, reason: '--optimize-timer-slack was not given' };
  if (ruleTarget === 'off') return { value: null, reason: `rule ${ruleId} says off` };
  if (ruleTarget !== undefined)
    return { value: ruleTarget, reason: `--optimize-timer-slack; rule ${ruleId} gives the value` };
  return { value: cliValue ?? DEFAULT_TARGET_NS, reason: '--optimize-timer-slack' };
}

/** `--observe-only`: never, whatever else was said. */
export function observeOnlyGate(): Gate {
  return {
    decide: () => ({ value: null, reason: '--observe-only' }),
    onChange: () => () => {},
    close: async () => {},
  };
}
