import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { TelemetryConfigError } from './environment.ts';

/** The sampler of OTEL_TRACES_SAMPLER and its argument; by default every trace. @throws TelemetryConfigError */
export function sampler(env: Readonly<Record<string, string | undefined>>): Sampler {
  const name = env['OTEL_TRACES_SAMPLER']?.trim() || 'parentbased_always_on';
  const root = name.replace(/^parentbased_/, '');
  const chosen = rootSampler(root, name, env['OTEL_TRACES_SAMPLER_ARG']?.trim());
  return root === name ? chosen : new ParentBasedSampler({ root: chosen });
}

function rootSampler(root: string, name: string, argument: string | undefined): Sampler {
  if (root === 'always_on') return new AlwaysOnSampler();
  if (root === 'always_off') return new AlwaysOffSampler();
  if (root !== 'traceidratio')
    throw new TelemetryConfigError(
      'OTEL_TRACES_SAMPLER',
      name,
      'known: [parentbased_]always_on, always_off, traceidratio',
    );
  const ratio = Number(argument || '1');
  if (ratio >= 0 && ratio <= 1) return new TraceIdRatioBasedSampler(ratio);
  throw new TelemetryConfigError('OTEL_TRACES_SAMPLER_ARG', argument ?? '', 'a number from 0 to 1 is wanted');
}
