/** What the guardrail allows an agent. Types alone, and none of a library: whoever uses the package compiles with them. */

/** By how much tuning may make something more than it is without, as a part of 1; `off`: it is not looked at. */
export type Limit = number | 'off';

/** Limits of an agent, by what is measured; `off`: the guardrail does not look at it. */
export type RuleGuardrail =
  | 'off'
  | {
      readonly runQueueDelay?: Limit | undefined;
      readonly wakeupLatency?: Limit | undefined;
      readonly cpu?: Limit | undefined;
    };
