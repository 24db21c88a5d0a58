import type { HrTime } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import type { CollectionResult, MetricData } from '@opentelemetry/sdk-metrics';
import { scope } from '../src/telemetry/scope.ts';

/** The result of a producer. It never throws: one failing producer would lose the whole collection of all metrics. */
export function collection(metrics: (now: HrTime) => MetricData[]): CollectionResult {
  const resource = emptyResource();
  try {
    const all = metrics(hrTime());
    return {
      resourceMetrics: { resource, scopeMetrics: all.length > 0 ? [{ scope: scope(), metrics: all }] : [] },
      errors: [],
    };
  } catch (error) {
    return { resourceMetrics: { resource, scopeMetrics: [] }, errors: [error] };
  }
}
