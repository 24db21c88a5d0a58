import type { KernelEvent } from './kernelEvent.ts';

/** Where the fields of a C struct lie, in bytes, and how many it has. */
export type Offsets<Field extends string> = { readonly [field in Field | 'bytes']: number };

/** The numbers of `native/include/taut.h`: where a series and its words lie. */
export interface Layout {
  readonly scale: number;
  readonly bucketMin: number;
  readonly buckets: number;
  readonly histogramWords: number;
  readonly zeroAt: number;
  readonly sumAt: number;
  readonly minAt: number;
  readonly maxAt: number;
  readonly bucketsAt: number;
  readonly lateness: number;
  readonly slackUse: number;
  readonly overrun: number;
  readonly latency: number;
  readonly runQueue: number;
  readonly handOver: number;
  readonly reachable: number;
  readonly reachableTuned: number;
  readonly beyond: number;
  readonly none: number;
  readonly timerSplits: number;
  readonly series: number;
  readonly maxAgents: number;
  readonly counters: readonly string[];
  /** By number. */
  readonly events: readonly KernelEvent['kind'][];
  readonly event: Offsets<'kind' | 'pid' | 'tid' | 'ppid' | 'maker' | 'size' | 'startNs' | 'atNs'>;
}
