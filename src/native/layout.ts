import type { KernelEvent } from './kernelEvent.ts';

/** Where the fields of a C struct lie, in bytes, and how many it has. */
type Offsets<Field extends string> = { readonly [field in Field | 'bytes']: number };

/** What the names programs tell: a question to a resolver, its answer, a connection, a piece of a ClientHello. */
export type ContactKind = 'question' | 'answer' | 'connect' | 'hello';

type Numbers<Name extends string> = { readonly [name in Name]: number };

/** The numbers and names of `native/include/`, so that none is typed twice; `test/unit/layout.test.ts` holds that. */
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
  readonly visit: Numbers<'attach' | 'detach'>;
  /** By number; of 0 there is none. */
  readonly contacts: readonly (ContactKind | undefined)[];
  readonly contact: Offsets<
    | 'pid'
    | 'tid'
    | 'atNs'
    | 'startNs'
    | 'cookie'
    | 'length'
    | 'transport'
    | 'kind'
    | 'port'
    | 'offset'
    | 'addressLength'
    | 'address'
    | 'payload'
  >;
  readonly transport: Numbers<'udp' | 'tcp'>;
  /** Bits of what the names programs are to tell. */
  readonly wanted: Numbers<'names' | 'connections' | 'answers'>;
  /** As much of a connection as may be told of its ClientHello. */
  readonly helloBytes: number;
  /** Of the canary. */
  readonly wake: Offsets<'deadline' | 'woke' | 'cpu' | 'sleeps' | 'preempted'>;
}
