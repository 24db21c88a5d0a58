/** What the guardrail allows, in the configuration: limits, and the times and the error rate of its trials. */
import { z } from 'zod';
import type { RuleGuardrail } from './agentLimits.ts';
import { msOf } from './values.ts';

const DAY_MS = 86_400_000;

/** A time like `5s`, in milliseconds. */
const time = (least: number, most: number) =>
  z.string().transform((text, context) => {
    const ms = msOf(text);
    if (ms >= least && ms <= most) return ms;
    const between = `from ${least < 1_000 ? `${least}ms` : `${least / 1_000}s`} to ${most / 1_000}s`;
    context.addIssue({ code: 'custom', message: `a whole number with ms, s, m, h or d is wanted, ${between}` });
    return z.NEVER;
  });

/** A percentage like `50%`, as a part of 1. */
const percent = (most: number) =>
  z.string().transform((text, context) => {
    const value = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN) / 100;
    if (value <= most) return value;
    context.addIssue({ code: 'custom', message: `a percentage is wanted, like 50%, up to ${100 * most}%` });
    return z.NEVER;
  });

/** By how much tuning may make something more than it is without; `off` and false: it is not looked at. */
const limit = z.union([percent(100), z.literal(['off', false]).transform(() => 'off' as const)]);

export const ofAgent = {
  /** The 99th percentile of how long the agent, woken, waits for a CPU. */
  runQueueDelay: limit.optional(),
  /** The 99th percentile of the whole time from being woken, or from when it wanted to be, until it runs. */
  wakeupLatency: limit.optional(),
  /** The agent's own CPU time. */
  cpu: limit.optional(),
};

export const ofHost = {
  /** Context switches of the whole host. */
  contextSwitches: limit.optional(),
  /** Interrupts of the whole host, those of its timers among them. */
  interrupts: limit.optional(),
  /** How long whatever runs on the host waits for a CPU, each time: the mean. */
  hostRunQueueDelay: limit.optional(),
  /** The part of the time in which something on the host waits for a CPU: the kernel's pressure stall information. */
  cpuPressure: limit.optional(),
};

/** What a rule may say of its agents: other limits, or `off`. */
export const ruleGuardrailSchema = z.union([
  z.strictObject(ofAgent),
  z.literal(['off', false]).transform(() => 'off' as const),
]) satisfies z.ZodType<RuleGuardrail>;

export const guardrailSchema = z.strictObject({
  ...ofAgent,
  ...ofHost,
  /** How long each window is; in one of four an agent that is on trial is held back. */
  window: time(200, 600_000).prefault('5s'),
  /** How often a trial may end with harm where there is none, at most. */
  errorRate: percent(0.5)
    .refine((rate) => rate >= 1e-6, 'at least 0.0001% is wanted')
    .prefault('1%'),
  /** How long an agent that was harmed stays as it was found. */
  coolDown: time(1_000, 366 * DAY_MS).prefault('1d'),
  /** How long after a trial that has found no harm the next one begins. */
  every: time(1_000, 366 * DAY_MS).prefault('1h'),
});

export type Guardrail = z.infer<typeof guardrailSchema>;
export type MeasureOfAgent = keyof typeof ofAgent;
export type MeasureOfHost = keyof typeof ofHost;
export type Measure = MeasureOfAgent | MeasureOfHost;

/** Limits that are not given: parts of 1 by which something may be more. */
export const DEFAULT_LIMITS: Readonly<Record<Measure, number>> = {
  runQueueDelay: 0.5,
  wakeupLatency: 0.5,
  cpu: 0.25,
  contextSwitches: 0.5,
  interrupts: 0.5,
  hostRunQueueDelay: 0.5,
  cpuPressure: 0.5,
};
