import type { KernelEvent } from './kernelEvent.ts';

/** The offset of each field of a C struct, and the size of the struct, in bytes. */
type Offsets<Field extends string> = { readonly [field in Field | 'bytes']: number };

/** The records of the names programs: a question to a resolver, its answer, a connection, a piece of a ClientHello. */
export type ContactKind = 'question' | 'answer' | 'connect' | 'hello';

type Numbers<Name extends string> = { readonly [name in Name]: number };

/** What one histogram counts: a quantity (its metric's name without `taut.`), and what splits it; undefined: nothing. */
interface SeriesLayout {
  readonly quantity: string;
  readonly source: 'timer' | 'other' | undefined;
  readonly slackClass: 'reachable' | 'beyond' | 'none' | undefined;
  readonly tuned: boolean | undefined;
  readonly slice: 'default' | 'tuned' | undefined;
}

/** The numbers and names of `native/include/`, so that none is typed twice; tested by `test/unit/layout.test.ts`. */
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
  /** What each of an agent's histograms is about, by its index. Those of a tuned slice come last, and may not be there. */
  readonly series: readonly SeriesLayout[];
  readonly maxAgents: number;
  /** Slots whose series are in one map, and how many such maps there are at most. */
  readonly blockAgents: number;
  readonly blocks: number;
  readonly counters: readonly string[];
  /** Indexed by the kind's number. */
  readonly events: readonly KernelEvent['kind'][];
  readonly event: Offsets<'kind' | 'pid' | 'tid' | 'ppid' | 'maker' | 'size' | 'user' | 'held' | 'startNs' | 'atNs'>;
  readonly visit: Numbers<'attach' | 'detach' | 'retell' | 'slices'>;
  /** How long a process that gives itself names all the time is not told of, nanoseconds. */
  readonly holdNs: number;
  /** Indexed by the kind's number; entry 0 is undefined. */
  readonly contacts: readonly (ContactKind | undefined)[];
  readonly contact: Offsets<
    | 'pid'
    | 'held'
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
  /** Bits that select what the names programs report. */
  readonly wanted: Numbers<'names' | 'connections' | 'answers'>;
  /** Most bytes of a connection's ClientHello that are captured. */
  readonly helloBytes: number;
  /** A wakeup of the canary. */
  readonly wake: Offsets<'deadline' | 'woke' | 'cpu' | 'sleeps' | 'preempted'>;
}
