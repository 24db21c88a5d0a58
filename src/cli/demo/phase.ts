/** One measured phase: what the kernel counted between its begin and its end, in the same histograms as the export. */
import { setTimeout } from 'node:timers/promises';
import type { Knob } from '../../actuator/knob.ts';
import { timerSlack } from '../../actuator/timerSlack.ts';
import type { Watcher } from '../../agents/watcher.ts';
import { addon } from '../../native.ts';
import { isGone, ProcHandle } from '../../proc/handle.ts';
import { threadIds } from '../../proc/processes.ts';
import { add, empty, quantile, subtract } from '../../tracer/arithmetic.ts';
import type { AgentSnapshot, ExpHistogram, Quantity, Series, SlackClass } from '../../tracer/series.ts';

export type PhaseName = 'original' | 'tuned' | 'restored';

/** Quantiles in seconds; null when nothing was counted. */
export interface Summary {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

export interface Phase {
  readonly name: PhaseName;
  readonly seconds: number;
  /** Thread counts, read from the kernel at the phase's end, not from taut's own state. */
  readonly threads: { readonly total: number; readonly original: number; readonly tuned: number };
  /** Number of threads by slack in nanoseconds. */
  readonly slacks: ReadonlyMap<bigint, number>;
  readonly lateness: ReadonlyMap<SlackClass, ExpHistogram>;
  readonly runQueueDelay: ExpHistogram;
  /** CPU seconds that the BPF programs and taut's own process used during the phase. */
  readonly cost: { readonly kernel: number; readonly user: number };
}

const CLASSES: readonly SlackClass[] = ['reachable', 'beyond', 'none'];

/** @param original slack in nanoseconds that counts as original. @param target slack that counts as tuned. */
export async function measurePhase(
  name: PhaseName,
  watcher: Watcher,
  pid: number,
  seconds: number,
  original: bigint,
  target: bigint,
): Promise<Phase> {
  const before = watcher.measurement.snapshot(pid);
  const cost = costNow(watcher);
  await setTimeout(seconds * 1_000);
  const after = watcher.measurement.snapshot(pid);
  if (!before || !after) throw new Error('the sample agent is not measured any more');
  const spent = costNow(watcher);
  const slacks = threadValues(timerSlack, pid);
  const having = (slack: bigint) => slacks.get(slack) ?? 0;
  return {
    name,
    seconds,
    threads: {
      total: [...slacks.values()].reduce((sum, n) => sum + n, 0),
      original: having(original),
      tuned: having(target),
    },
    slacks,
    lateness: new Map(CLASSES.map((c) => [c, between(before, after, 'timer.lateness', (s) => s.slackClass === c)])),
    runQueueDelay: between(before, after, 'wakeup.run_queue_delay', () => true),
    cost: { kernel: spent.kernel - cost.kernel, user: spent.user - cost.user },
  };
}

export function summarize(histogram: ExpHistogram): Summary {
  const at = (q: number) => quantile(histogram, q) ?? null;
  return { count: histogram.count, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** Number of threads of a process by what a knob of them is now, in the knob's unit. */
export function threadValues(knob: Knob, pid: number): Map<bigint, number> {
  const values = new Map<bigint, number>();
  for (const tid of threadIds(pid)) {
    try {
      using thread = new ProcHandle(tid);
      const value = knob.read(thread);
      values.set(value, (values.get(value) ?? 0) + 1);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return values;
}

/** What the most threads have. */
export function commonest(values: ReadonlyMap<bigint, number>): bigint {
  return [...values].reduce((a, b) => (b[1] > a[1] ? b : a), [0n, 0])[0];
}

/** What was counted of a quantity between two snapshots, in those of its series that are meant. */
export function between(
  before: AgentSnapshot,
  after: AgentSnapshot,
  quantity: Quantity,
  which: (series: Series) => boolean,
): ExpHistogram {
  const sum = (snapshot: AgentSnapshot) =>
    snapshot.series
      .filter((s) => s.quantity === quantity && which(s))
      .reduce((total, s) => add(total, s.histogram), empty(addon().layout.scale));
  return subtract(sum(after), sum(before));
}

function costNow(watcher: Watcher) {
  const { user, system } = process.cpuUsage();
  return { kernel: watcher.measurement.kernelCpu()?.seconds ?? Number.NaN, user: (user + system) / 1e6 };
}
