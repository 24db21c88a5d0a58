/** Divides a collection into several requests, so that a line of the embedded sink stays short however many agents there are. */
import type { MetricData, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/** Most points of one line. The longest point, a histogram of which every bucket is in use, is below 8 KiB. */
const MOST_POINTS = 500;

/** The same points in the same order, at most `most` in each part. */
export function* parts({ resource, scopeMetrics }: ResourceMetrics, most = MOST_POINTS): Generator<ResourceMetrics> {
  let scopes: ScopeMetrics[] = [];
  let room = most;
  for (const { scope, metrics } of scopeMetrics) {
    let some: MetricData[] = [];
    for (const metric of metrics)
      for (let from = 0; from < metric.dataPoints.length; ) {
        const dataPoints = metric.dataPoints.slice(from, from + room);
        some.push({ ...metric, dataPoints } as MetricData);
        from += dataPoints.length;
        room -= dataPoints.length;
        if (room > 0) continue;
        yield { resource, scopeMetrics: [...scopes, { scope, metrics: some }] };
        [scopes, some, room] = [[], [], most];
      }
    if (some.length > 0) scopes.push({ scope, metrics: some });
  }
  if (scopes.length > 0) yield { resource, scopeMetrics: scopes };
}
