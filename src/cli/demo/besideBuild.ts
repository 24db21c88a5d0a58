/** The second act: how late the sample agent is woken beside a build of its own, with each knob, with all, and without. */
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Knob } from '../../actuator/knob.ts';
import { KNOBS } from '../../actuator/knobs.ts';
import type { Watcher } from '../../agents/watcher.ts';
import type { Targets } from '../../gate/gate.ts';
import { addon } from '../../native.ts';
import { add, empty } from '../../tracer/arithmetic.ts';
import type { ExpHistogram } from '../../tracer/series.ts';
import { type Arm, armsOf, inRound } from './arms.ts';
import { between, commonest, threadValues } from './phase.ts';
import type { Build, Sample } from './sample.ts';

/** Two jobs a processor, so that the agent has to wait; more than these would take too much memory for a demo. */
const JOBS_EACH = 2;
const MOST_JOBS = 64;
export const ROUNDS = 3;
/** What is under way when the settings change is over by then. */
const AFTER_CHANGE_MS = 50;

/** One knob of the threads that it sets, read from the kernel at the end of an arm's last turn. */
export interface Setting {
  /** The knob's id. */
  readonly id: string;
  readonly threads: { readonly total: number; readonly original: number; readonly tuned: number };
}

/** All turns of one arm together. */
export interface Measured {
  readonly name: string;
  readonly targets: Targets;
  readonly seconds: number;
  /** From the moment that a thread of the agent was to be woken until it ran. */
  readonly latency: ExpHistogram;
  /** Files that the build has compressed. */
  readonly files: number;
  readonly settings: readonly Setting[];
}

/** A knob that this host can't do. */
export interface LeftOut {
  readonly id: string;
  readonly title: string;
  readonly why: string;
}

export interface BesideBuild {
  readonly jobs: number;
  readonly turns: number;
  readonly arms: readonly Measured[];
  readonly leftOut: readonly LeftOut[];
}

export interface Stage {
  readonly watcher: Watcher;
  readonly sample: Sample;
  /** How long one turn of an arm is. */
  readonly seconds: number;
  /** Sets the knobs; resolves when that is carried out. */
  change(targets: Targets, reason: string): Promise<void>;
  /** Rejects when the demo must end before `work` is done. */
  unlessEnded<T>(work: Promise<T>): Promise<T>;
  progress(line: string): void;
}

/** Leaves everything put back. @throws Error when the build does nothing */
export async function besideBuild(stage: Stage): Promise<BesideBuild> {
  const { watcher, sample, seconds, change, unlessEnded, progress } = stage;
  const { knobs, leftOut } = usable(KNOBS);
  for (const { title, why } of leftOut) progress(`the ${title} is left out: ${why}`);
  const jobs = Math.min(MOST_JOBS, JOBS_EACH * availableParallelism());
  const build = await unlessEnded(sample.build(jobs));
  const looked = knobs.map((knob) => ({ knob, original: commonest(valuesOf(knob, sample, build)) }));
  const arms = armsOf(knobs);
  const measured = new Map<Arm, Measured>();

  for (let round = 0; round < ROUNDS; round++) {
    const turn = `${seconds.toFixed(1)} s each`;
    progress(`beside a build of ${jobs} jobs, round ${round + 1} of ${ROUNDS}: ${arms.length} settings, ${turn} ...`);
    for (const arm of inRound(arms, round)) {
      await change(arm.targets, arm.name);
      await unlessEnded(setTimeout(AFTER_CHANGE_MS));
      const counted = await unlessEnded(count(watcher, sample.pid, build, seconds));
      const settings = looked.map(({ knob, original }) => {
        const values = valuesOf(knob, sample, build);
        const having = (value: bigint) => values.get(value) ?? 0;
        const total = [...values.values()].reduce((sum, n) => sum + n, 0);
        return { id: knob.id, threads: { total, original: having(original), tuned: having(knob.defaultTarget) } };
      });
      measured.set(arm, together(measured.get(arm), { ...arm, ...counted, settings }));
    }
  }
  await change(new Map(), 'with everything put back');
  return { jobs, turns: ROUNDS, arms: arms.flatMap((arm) => measured.get(arm) ?? []), leftOut };
}

/** Those that this host can do, and why it can't do the others. */
function usable(all: readonly Knob[]): { readonly knobs: readonly Knob[]; readonly leftOut: readonly LeftOut[] } {
  const looked = all.map((knob) => ({ knob, support: knob.support() }));
  return {
    knobs: looked.filter(({ support }) => support.ok).map(({ knob }) => knob),
    leftOut: looked
      .filter(({ support }) => !support.ok)
      .map(({ knob: { id, title }, support }) => ({ id, title, why: `${support.detail} (${support.mend})` })),
  };
}

/** Of the agent, or of the build for a knob of tools. */
function valuesOf(knob: Knob, { pid }: Sample, build: Build): Map<bigint, number> {
  const values = new Map<bigint, number>();
  for (const each of knob.of === 'tools' ? build.pids : [pid])
    for (const [value, n] of threadValues(knob, each)) values.set(value, (values.get(value) ?? 0) + n);
  return values;
}

async function count(watcher: Watcher, pid: number, build: Build, seconds: number) {
  const now = () => ({ atMs: performance.now(), files: build.done(), snapshot: watcher.measurement.snapshot(pid) });
  const before = now();
  await setTimeout(seconds * 1_000);
  const after = now();
  if (!before.snapshot || !after.snapshot) throw new Error('the sample agent is not measured any more');
  const files = after.files - before.files;
  return {
    seconds: (after.atMs - before.atMs) / 1_000,
    latency: between(before.snapshot, after.snapshot, 'wakeup.latency', () => true),
    files,
  };
}

/** What was counted is added up; of the settings the last reading counts. */
function together(before: Measured | undefined, now: Measured): Measured {
  return {
    ...now,
    seconds: (before?.seconds ?? 0) + now.seconds,
    latency: add(before?.latency ?? empty(addon().layout.scale), now.latency),
    files: (before?.files ?? 0) + now.files,
  };
}
