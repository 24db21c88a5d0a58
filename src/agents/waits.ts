/** What an agent waited for when it was woken: its histograms in a few numbers, for people. Pure. */
import { add, quantile } from '../tracer/arithmetic.ts';
import type { AgentSnapshot, ExpHistogram, Series } from '../tracer/series.ts';

/** Quantiles in seconds; null when nothing was counted. Of a sampled series `count` is estimated. */
export interface Delay {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface Waits {
  /** How long the agent has been measured. */
  readonly seconds: number;
  readonly wakeups: number;
  /** Null where timers are not measured: mode `wakeups`. */
  readonly timers: TimerWaits | null;
  /** How long the agent could run, and waited for a CPU. `seconds`: all of these together. */
  readonly runQueue: Delay & { readonly seconds: number };
}

export interface TimerWaits {
  /** From the time that the agent asked for to the timer's handler: of all its timers. */
  readonly lateness: Delay;
  /** Of those timers whose slack is what taut can shorten: with the slack that the agent had, and with taut's. */
  readonly reachable: { readonly found: Delay; readonly tuned: Delay };
}

/** @param untilMs milliseconds since the epoch. @param hasTimers whether timers are measured. */
export function waitsOf({ attachedAtMs, series }: AgentSnapshot, untilMs: number, hasTimers = true): Waits {
  const queue = series.filter(({ quantity }) => quantity === 'wakeup.run_queue_delay');
  const seconds = queue.reduce((sum, one) => sum + factorOf(one) * Number(one.histogram.sumNs), 0) / 1e9;
  const runQueue = { ...delay(queue), seconds };
  return {
    seconds: Math.max(0, untilMs - attachedAtMs) / 1_000,
    wakeups: runQueue.count,
    timers: hasTimers ? timersOf(series) : null,
    runQueue,
  };
}

function timersOf(series: readonly Series[]): TimerWaits {
  const late = series.filter(({ quantity }) => quantity === 'timer.lateness');
  const reachable = late.filter(({ slackClass }) => slackClass === 'reachable');
  return {
    lateness: delay(late),
    reachable: {
      found: delay(reachable.filter(({ tuned }) => !tuned)),
      tuned: delay(reachable.filter(({ tuned }) => tuned)),
    },
  };
}

const factorOf = ({ shed }: Series) => shed?.factor ?? 1;

function delay(series: readonly Series[]): Delay {
  const count = series.reduce((sum, one) => sum + factorOf(one) * one.histogram.count, 0);
  const all = series
    .map(({ histogram }) => histogram)
    .reduce<ExpHistogram | undefined>((a, b) => (a ? add(a, b) : b), undefined);
  const at = (q: number) => (all && quantile(all, q)) ?? null;
  return { count, p50: at(0.5), p99: at(0.99) };
}
