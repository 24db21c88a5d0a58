/**
 * The decoded counts of the kernel tracer for one agent, as the producer, the demo and the tests read them.
 * All times are nanoseconds as `bigint` (bucket bounds are in seconds, see `scale`); they become seconds only when they
 * are exported by OTLP.
 */
import type { Quantity } from '../telemetry/metrics.ts';

export type { Quantity };

/** The kind of slack of a wait's timer, read from the timer itself (slack in force = hard - soft expiry). */
export type SlackClass = 'reachable' | 'beyond' | 'none';

/** What made the thread runnable. */
export type WakeupSource = 'timer' | 'other';

/** The scheduler's slice that was in force: the kernel's default, or another one. */
export type SchedSlice = 'default' | 'tuned';

/** How much is recorded of the wakeups while the cost of measuring is kept below a limit. */
export interface Shed {
  /** False: only lateness and run-queue delay. */
  readonly detail: boolean;
  /** One wakeup in `factor` is recorded; a power of two. */
  readonly factor: number;
}

/** The flag that decides whether an agent is tuned, and its variant for this agent; of several flags both have a comma between. */
export interface FlagVariant {
  readonly key: string;
  readonly variant: string;
}

/** A base-2 exponential histogram of durations in seconds, cumulative since the agent was attached. */
export interface ExpHistogram {
  /** OTLP scale: bucket i holds (base^i, base^(i+1)] seconds with base = 2^(2^-scale). Always 3 today. */
  readonly scale: number;
  /** Index of `buckets[0]`. */
  readonly offset: number;
  /** Counts per bucket, dense, trimmed of empty buckets at both ends; empty when nothing was recorded. */
  readonly buckets: readonly number[];
  /** Values that were exactly 0 ns. */
  readonly zeroCount: number;
  /** zeroCount plus all buckets. */
  readonly count: number;
  /** Sum of all values, nanoseconds. */
  readonly sumNs: bigint;
  /** Smallest and largest value, nanoseconds; undefined when count is 0. */
  readonly minNs: bigint | undefined;
  readonly maxNs: bigint | undefined;
}

/** One series: a quantity with its splits, and its histogram. Splits that do not apply are undefined. */
export interface Series {
  readonly quantity: Quantity;
  readonly source: WakeupSource | undefined;
  readonly slackClass: SlackClass | undefined;
  readonly tuned: boolean | undefined;
  /** Undefined also where the tracer does not look at slices. */
  readonly slice?: SchedSlice | undefined;
  /** What was shed while it was recorded; undefined: nothing. */
  readonly shed?: Shed;
  /** What a flag had decided while it was recorded; undefined: no flag had. */
  readonly flag?: FlagVariant;
  readonly histogram: ExpHistogram;
}

/** An agent process that is measured. */
export interface TracedProcess {
  readonly pid: number;
  /** The agent's name (`taut.agent.name`). */
  readonly name: string;
  /** The process's creation time, milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Timer slack, nanoseconds, that taut has set before, or of the agent that made the process; and what was there before that. */
  readonly slack?: { readonly target: bigint; readonly original: bigint } | undefined;
}

/** One thread of taut's own process, measured apart from the agents. */
export interface TracedThread extends Disposable {
  series(): Series[];
}

/** Everything counted for one agent process. */
export interface AgentSnapshot extends TracedProcess {
  /** When measuring it began, milliseconds since the epoch: the start of the cumulative series. */
  readonly attachedAtMs: number;
  readonly series: readonly Series[];
}

/** Everything counted for the agents without a slot of their own, together: they share one series. */
export interface OverflowSnapshot {
  readonly overflow: true;
  /** When the first of them was attached, milliseconds since the epoch. */
  readonly attachedAtMs: number;
  readonly series: readonly Series[];
}

/** The schedstat values of one process since it was attached. */
export interface RunQueueTime extends TracedProcess {
  /** Milliseconds since the epoch. */
  readonly attachedAtMs: number;
  readonly waitedNs: bigint;
  /** How often a thread of the process got a CPU. */
  readonly timeslices: number;
}

export type Snapshot = AgentSnapshot | OverflowSnapshot;
