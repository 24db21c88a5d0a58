import { type Env, oneOf, read, wrong } from './values.ts';

const ROOTS = ['always_on', 'always_off', 'traceidratio'] as const;

export interface Sampling {
  readonly root: (typeof ROOTS)[number];
  /** Whether a trace that a caller has begun is sampled as the caller does. */
  readonly isParentBased: boolean;
  /** Of traces; from 0 to 1. */
  readonly ratio: number;
}

/** OTEL_TRACES_SAMPLER and its argument; by default every trace. @throws TelemetryConfigError */
export function sampling(env: Env): Sampling {
  const names = [...ROOTS, ...ROOTS.map((root) => `parentbased_${root}` as const)];
  const name = oneOf(env, 'OTEL_TRACES_SAMPLER', names) ?? 'parentbased_always_on';
  const root = ROOTS.find((one) => name.endsWith(one)) ?? 'always_on';
  return { root, isParentBased: name !== root, ratio: root === 'traceidratio' ? ratio(env) : 1 };
}

function ratio(env: Env): number {
  const argument = read(env, 'OTEL_TRACES_SAMPLER_ARG');
  const number = Number(argument ?? '1');
  if (number >= 0 && number <= 1) return number;
  return wrong('OTEL_TRACES_SAMPLER_ARG', argument, 'a number from 0 to 1 is wanted');
}
