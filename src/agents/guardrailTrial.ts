/** A trial: blocks of windows, held against limits until one is broken or there are enough of them. */
import type { RuleGuardrail } from '../config/agentLimits.ts';
import { DEFAULT_LIMITS, type Guardrail, type Measure, ofAgent, ofHost } from '../config/guardrail.ts';
import { type Block, evidenceOfHarm, type Interval, intervalOf, median } from '../gate/harmTest.ts';
import type { TrialStatus } from './documents.ts';
import { MEASURES, type Values } from './guardrailMeasures.ts';

/** Blocks of a trial. Without harm by then, there is none of a size that matters here. */
export const BLOCKS = 30;

/** By which part of itself each measure may be more. */
export type Limits = ReadonlyMap<Measure, number>;

type Given = { readonly [M in Measure]?: number | 'off' | undefined };

function limitsFrom(keys: object, given: Given): Limits {
  return new Map(
    (Object.keys(keys) as Measure[]).flatMap((measure) => {
      const limit = given[measure] ?? DEFAULT_LIMITS[measure];
      return limit === 'off' ? [] : [[measure, limit] as const];
    }),
  );
}

/**
 * @param rule what the agent's rule says. @param flags what the flags say that tune it, each: they come before the rule, and of several
 * the least counts. @returns undefined for agents that are not looked after.
 */
export function limitsOfAgent(
  settings: Guardrail,
  rule: RuleGuardrail | undefined,
  flags: readonly RuleGuardrail[] = [],
): Limits | undefined {
  const limits = flags.filter((one) => one !== 'off');
  const isOff = limits.length === 0 && (flags.length > 0 || rule === 'off');
  return isOff
    ? undefined
    : limitsFrom(ofAgent, { ...settings, ...(rule !== 'off' && rule), ...least(limits) } as Given);
}

function least(all: readonly Given[]): Given {
  const measures = new Set(all.flatMap((one) => Object.keys(one) as Measure[]));
  return Object.fromEntries(
    [...measures].map((measure) => {
      const parts = all.map((one) => one[measure]).filter((limit) => typeof limit === 'number');
      return [measure, parts.length > 0 ? Math.min(...parts) : 'off'];
    }),
  );
}

export function limitsOfHost(settings: Guardrail): Limits {
  return limitsFrom(ofHost, settings as Given);
}

/** Harm, in figures. */
export interface Harm {
  readonly measure: Measure;
  /** The part of itself by which it may be more. */
  readonly limit: number;
  /** The medians of the windows, in the measure's unit. */
  readonly found: number;
  readonly tuned: number;
  /** Tuned values divided by found ones. */
  readonly times: Interval;
  readonly blocks: number;
  readonly errorRate: number;
}

export class Trial {
  /** How many blocks are done. */
  blocks = 0;
  /** When it ended without harm, milliseconds since the epoch. */
  passedAtMs: number | undefined;
  readonly #errorRate: number;
  readonly #byMeasure = new Map<Measure, Block[]>();

  /** @param errorRate how often it may find harm where there is none, at most: of all its measures together. */
  constructor(errorRate: number) {
    this.#errorRate = errorRate;
  }

  /** @param lot which of the windows was held back. @returns the harm that is found now. */
  add(windows: readonly Values[], lot: number, limits: Limits): Harm | undefined {
    this.blocks++;
    const harms = [...limits].flatMap(([measure, limit]) => {
      const blocks = this.#byMeasure.get(measure) ?? [];
      this.#byMeasure.set(measure, blocks);
      const values = windows.flatMap((window) => window[measure] ?? []);
      const held = values[lot];
      if (held === undefined || values.length < windows.length) return [];
      blocks.push({ held, tuned: values.toSpliced(lot, 1) });
      return this.#judge(measure, limit, blocks, this.#errorRate / limits.size) ?? [];
    });
    return harms[0];
  }

  #judge(measure: Measure, limit: number, blocks: readonly Block[], errorRate: number): Harm | undefined {
    const { floor } = MEASURES[measure];
    if (evidenceOfHarm(blocks, (found) => found * (1 + limit) + floor) < 1 / errorRate) return undefined;
    const found = median(blocks.map(({ held }) => held));
    const tuned = median(blocks.flatMap((block) => block.tuned));
    const times = intervalOf(blocks, errorRate);
    return { measure, limit, found, tuned, times, blocks: blocks.length, errorRate };
  }

  get status(): TrialStatus {
    const { passedAtMs } = this;
    return {
      state: passedAtMs === undefined ? 'running' : 'passed',
      blocks: this.blocks,
      of: BLOCKS,
      passedAt: passedAtMs === undefined ? null : new Date(passedAtMs).toISOString(),
    };
  }
}
