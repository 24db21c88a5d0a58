/** The demo's second act, as text and as JSON. Pure. */
import type { ExpHistogram } from '../../tracer/series.ts';
import { roughly } from '../../util/roughly.ts';
import type { BesideBuild, Measured } from './besideBuild.ts';
import { summarize } from './phase.ts';
import { axis, BUSY, sparkline } from './picture.ts';
import { measured } from './report.ts';

/** A wakeup is late by more than 2^-11 s, about half a millisecond: a bound of the buckets, so the share is exact. */
const LATE = -11;
/** With a smaller share of late wakeups there is nothing to mend. */
const SELDOM = 0.02;
/** A setting helps when it leaves at most this part of the late wakeups: less than that a change of the load can do. */
const HELPS = 0.5;
/** The build does as much put back as it did as found, give or take this part of it, unless others' load has changed. */
const UNSTEADY = 0.2;
const WIDTH = 24;

export function buildToJson({ jobs, turns, arms, leftOut }: BesideBuild): unknown {
  return {
    jobs,
    turns,
    arms: arms.map((arm) => ({
      name: arm.name,
      targets: Object.fromEntries([...arm.targets].map(([id, target]) => [id, Number(target)])),
      seconds: arm.seconds,
      settings: arm.settings,
      metrics: { 'taut.wakeup.latency': { ...measured(arm.latency), late: lateShare(arm) } },
      build: { filesPerSecond: arm.files / arm.seconds, ofFound: workOf(arm, arms) },
    })),
    leftOut,
  };
}

export function describeBuild(beside: BesideBuild): string {
  const { jobs, turns, arms, leftOut } = beside;
  const name = (text: string) => `  ${text.padEnd(WIDTH)}`;
  return [
    `beside a build that the agent runs, of ${jobs} jobs: from the moment that it was to be woken until it ran`,
    `${name('')}  wakeups      p50      p90      p99   > 0.5 ms    the build`,
    ...arms.map((arm) => `${name(arm.name)}${row(arm, arms)}`),
    ...leftOut.map(({ title, why }) => `${name(title)}  left out: ${why}`),
    '',
    ...arms.map((arm) => `${name(arm.name)}${sparkline(arm.latency, BUSY)}`),
    `${name('')}${axis(BUSY)}`,
    `each line is ${turns} turns; the build: files compressed in a second, of those as found`,
    '',
    verdict(arms),
  ].join('\n');
}

function row(arm: Measured, arms: readonly Measured[]): string {
  const { count, p50, p90, p99 } = summarize(arm.latency);
  const times = [p50, p90, p99].map((t) => (t === null ? '-' : roughly(t)).padStart(9)).join('');
  return `${String(count).padStart(9)}${times}${percent(lateShare(arm)).padStart(11)}${whole(workOf(arm, arms)).padStart(13)}`;
}

/** What the arms come to, in words. It claims nothing when the figures do not. */
export function verdict(arms: readonly Measured[]): string {
  const back = arms.at(-1);
  const changed = back ? Math.abs((workOf(back, arms) ?? 1) - 1) : 0;
  const isSteady = changed < UNSTEADY;
  return `${conclusion(arms)}${isSteady ? '' : ' The load of this machine changed meanwhile: on a quiet one the figures are surer.'}`;
}

function conclusion(arms: readonly Measured[]): string {
  const [found, back] = [arms.at(0), arms.at(-1)];
  const shares = [found, back].map((arm) => (arm ? lateShare(arm) : null));
  const tuned = arms.slice(1, -1).flatMap((arm) => {
    const share = lateShare(arm);
    return share === null ? [] : [{ arm, share }];
  });
  const [asFound, putBack] = shares;
  const best = tuned.reduce<(typeof tuned)[number] | undefined>((a, b) => (a && a.share <= b.share ? a : b), undefined);
  if (asFound == null || putBack == null || !best) return 'too few wakeups were counted to compare the settings';
  const untuned = Math.min(asFound, putBack);
  const figures = `${percent(asFound)} of its wakeups came more than 0.5 ms late as found, ${percent(best.share)} with ${best.arm.name}, ${percent(putBack)} put back`;
  if (untuned < SELDOM)
    return `There is nothing to mend here: ${figures}. Linux gives this agent its turn beside its build, as it does where a build is in a session or control group of its own, or where processors are free.`;
  if (best.share > HELPS * untuned)
    return `No setting helps clearly here: ${figures}. They help against the agent's own tools, not against other sessions and control groups that keep the processors busy.`;
  const work = workOf(best.arm, arms);
  const last = arms.at(-1);
  return `${figures}. The build did ${whole(work)} of its work with that${last ? `, ${whole(workOf(last, arms))} put back` : ''}.`;
}

/** Of all wakeups, from 0 to 1; null when there was none. */
export function lateShare({ latency }: { readonly latency: ExpHistogram }): number | null {
  const { count, scale, offset, buckets } = latency;
  const from = LATE * 2 ** scale;
  const late = buckets.reduce((sum, n, i) => sum + (offset + i >= from ? n : 0), 0);
  return count === 0 ? null : late / count;
}

/** The build's work in a second, of that of the first arm; null when that did none. */
function workOf({ files, seconds }: Measured, [found]: readonly Measured[]): number | null {
  return found && found.files > 0 ? files / seconds / (found.files / found.seconds) : null;
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(100 * share).toFixed(1)}%`;
}

function whole(share: number | null): string {
  return share === null ? 'unknown' : `${Math.round(100 * share)}%`;
}
