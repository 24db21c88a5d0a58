/** What taut's own histograms and spans say of some processes, from the files of its embedded sink. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { add, empty, quantile } from '../../src/tracer/arithmetic.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';
import {
  type HistogramPoint,
  type MetricRequest,
  metricsOf,
  spansOf,
  type TraceRequest,
  values,
} from '../support/otlp.ts';
import { wellFormed } from '../support/spans.ts';
import type { Sandbox } from '../support/taut.ts';

/** Of one run of taut. */
export interface Measured {
  readonly wakeups: number;
  /** By timers that the thread's slack governs. */
  readonly reachable: number;
  /** Of the latter's timers, and of all wakeups: half were later, seconds. Undefined of a few, which say nothing. */
  readonly lateness: number | undefined;
  readonly runQueueDelay: number | undefined;
}

const SCALE = 3;
const ENOUGH = 50;

/** What a run that has ended counted of these processes. */
export function measured(sandbox: Sandbox, pids: readonly number[], tuned: boolean): Measured {
  const requests = lines<MetricRequest>(sandbox, 'metrics');
  const reachable = { 'taut.timer.slack_class': 'reachable', 'taut.tuned': tuned };
  const sum = (name: string, which: Record<string, unknown>) => total(requests, name, pids, which);
  return {
    wakeups: sum('taut.wakeup.latency', {}).count,
    reachable: sum('taut.wakeup.latency', { 'taut.timer.slack_class': 'reachable' }).count,
    lateness: median(sum('taut.timer.lateness', reachable)),
    runQueueDelay: median(sum('taut.wakeup.run_queue_delay', {})),
  };
}

/** When the gate's word on each process was there, milliseconds since the epoch, and how long after the kernel's sighting. */
export function attachments(sandbox: Sandbox): Map<number, { readonly atMs: number; readonly tookMs: number }> {
  const spans = wellFormed(spansOf(lines<TraceRequest>(sandbox, 'traces'))).filter(({ name }) => name === 'attach');
  return new Map(
    spans.map((span) => [
      Number(values(span.attributes)['process.pid']),
      {
        atMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1e3,
        tookMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
      },
    ]),
  );
}

/** Cumulative series: the last point of each is all that was counted. */
function total(
  requests: readonly MetricRequest[],
  name: string,
  pids: readonly number[],
  which: Record<string, unknown>,
): ExpHistogram {
  const last = new Map<string, HistogramPoint>();
  for (const { exponentialHistogram } of metricsOf(requests, name))
    for (const point of exponentialHistogram?.dataPoints ?? []) {
      const attributes = values(point.attributes);
      const isWanted = Object.entries(which).every(([key, value]) => attributes[key] === value);
      if (isWanted && pids.includes(Number(attributes['process.pid']))) last.set(JSON.stringify(attributes), point);
    }
  return [...last.values()].map(histogram).reduce(add, empty(SCALE));
}

function median(of: ExpHistogram): number | undefined {
  return of.count < ENOUGH ? undefined : quantile(of, 0.5);
}

function histogram({ count, scale, zeroCount, positive }: HistogramPoint): ExpHistogram {
  return {
    ...empty(scale),
    count: Number(count),
    zeroCount: Number(zeroCount ?? 0),
    offset: positive.offset ?? 0,
    buckets: (positive.bucketCounts ?? []).map(Number),
  };
}

function lines<T>(sandbox: Sandbox, signal: 'metrics' | 'traces'): T[] {
  const text = readFileSync(join(sandbox.stateDir, `otlp/${signal}.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
