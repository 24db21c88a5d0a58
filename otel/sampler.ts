import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { type Sampling, sampling } from './environment/sampling.ts';
import type { Env } from './environment.ts';

/** The sampler of OTEL_TRACES_SAMPLER and its argument; by default every trace. @throws TelemetryConfigError */
export function sampler(env: Env): Sampler {
  const chosen = sampling(env);
  const root = rootSampler(chosen);
  return chosen.isParentBased ? new ParentBasedSampler({ root }) : root;
}

function rootSampler({ root, ratio }: Sampling): Sampler {
  if (root === 'always_on') return new AlwaysOnSampler();
  return root === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
