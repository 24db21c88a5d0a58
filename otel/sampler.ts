import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
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

/** Whether a trace with this id, which nobody called for, is sampled. @throws TelemetryConfigError */
export function isRootSampled(env: Env, traceId: string): boolean {
  const { decision } = rootSampler(sampling(env)).shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.INTERNAL, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

function rootSampler({ root, ratio }: Sampling): Sampler {
  if (root === 'always_on') return new AlwaysOnSampler();
  return root === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
