import type { HrTime } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import type { CollectionResult, MetricData } from '@opentelemetry/sdk-metrics';
import { scope } from '../src/telemetry/scope.ts';

type Metrics = MetricData[] | Promise<MetricData[]>;

/** The result of a producer. It never throws: one failing producer would lose the whole collection of all metrics. */
export async function collection(metrics: (now: HrTime) => Metrics): Promise<CollectionResult> {
  const resource = emptyResource();
  try {
    const all = await metrics(hrTime());
    return {
      resourceMetrics: { resource, scopeMetrics: all.length > 0 ? [{ scope: scope(), metrics: all }] : [] },
      errors: [],
    };
  } catch (error) {
    return { resourceMetrics: { resource, scopeMetrics: [] }, errors: [error] };
  }
}
