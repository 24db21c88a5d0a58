/** The result of the demo, as text and as JSON. Pure. */
import type { ExpHistogram, SlackClass } from '../../tracer/series.ts';
import { formatNs } from '../../util/duration.ts';
import { type Phase, type PhaseName, type Summary, summarize } from './phase.ts';
import { axis, QUIET, sparkline } from './picture.ts';

const TITLES: Record<PhaseName, string> = { original: 'before', tuned: 'tuned', restored: 'restored' };

const ROWS: Record<SlackClass, string> = {
  reachable: 'late: timers with slack',
  beyond: 'late: long poll, epoll',
  none: 'late: timers without slack',
};

export function toJson(phases: readonly Phase[]): { readonly phases: readonly unknown[] } {
  return {
    phases: phases.map((phase) => ({
      name: phase.name,
      seconds: phase.seconds,
      threads: phase.threads,
      metrics: {
        'taut.timer.lateness': Object.fromEntries([...phase.lateness].map(([name, h]) => [name, measured(h)])),
        'taut.wakeup.run_queue_delay': measured(phase.runQueueDelay),
      },
      cost: { 'taut.self.cpu': phase.cost },
    })),
  };
}

/** The quantiles, with the buckets behind them. */
export function measured(histogram: ExpHistogram) {
  const { scale, offset, buckets, zeroCount } = histogram;
  return { ...summarize(histogram), histogram: { scale, offset, buckets, zeroCount } };
}

export function describePhase(phase: Phase): string {
  const { total } = phase.threads;
  const slacks = [...phase.slacks].map(([slack, n]) => `${n} of ${total} threads at ${formatNs(slack)}`).join(', ');
  const lines = [`${TITLES[phase.name].padEnd(9)} ${slacks}`];
  for (const [name, histogram] of phase.lateness)
    if (histogram.count > 0) lines.push(row(ROWS[name], summarize(histogram)));
  lines.push(row('wait for a CPU (control)', summarize(phase.runQueueDelay)));
  const percent = (seconds: number) =>
    Number.isNaN(seconds) ? 'unknown' : `${((100 * seconds) / phase.seconds).toFixed(2)}%`;
  lines.push(
    `  measuring cost ${percent(phase.cost.kernel)} of a core in the kernel, ${percent(phase.cost.user)} in taut itself`,
  );
  return lines.join('\n');
}

/** The distributions side by side, and a conclusion. */
export function describeAll(phases: readonly Phase[]): string {
  const line = (phase: Phase, picture: string) => `  ${TITLES[phase.name].padEnd(9)} ${picture}`;
  const reachable = (phase: Phase) => phase.lateness.get('reachable');
  return [
    'how late timers fire whose slack is tuned',
    ...phases.map((phase) => line(phase, pictureOf(reachable(phase)))),
    `  ${''.padEnd(9)} ${axis(QUIET)}`,
    'wait for a CPU, once awake: the control of timer slack, which has no part in it',
    ...phases.map((phase) => line(phase, pictureOf(phase.runQueueDelay))),
    `  ${''.padEnd(9)} ${axis(QUIET)}`,
    '',
    verdict(phases),
  ].join('\n');
}

function verdict(phases: readonly Phase[]): string {
  const p50 = (name: PhaseName) => {
    const histogram = phases.find((phase) => phase.name === name)?.lateness.get('reachable');
    return histogram ? summarize(histogram).p50 : null;
  };
  const [found, tuned, restored] = [p50('original'), p50('tuned'), p50('restored')];
  if (found === null || tuned === null || restored === null) return 'too few timers fired to compare the phases';
  const change = `Half of the timers were later than ${us(found)} before, ${us(tuned)} tuned, ${us(restored)} restored`;
  return `${change}: ${(found / tuned).toFixed(1)} times ${tuned < found ? 'less' : 'as much'} when tuned.`;
}

function pictureOf(histogram: Parameters<typeof sparkline>[0] | undefined): string {
  return histogram ? sparkline(histogram, QUIET) : '';
}

function row(what: string, { count, p50, p90, p99 }: Summary): string {
  const times = [p50, p90, p99].map((t) => (t === null ? '-' : us(t)).padStart(9));
  return `  ${what.padEnd(28)}${String(count).padStart(7)}  p50 ${times[0]}  p90 ${times[1]}  p99 ${times[2]}`;
}

function us(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} us`;
}
