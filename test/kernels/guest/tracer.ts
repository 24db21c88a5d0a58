/** The tracer by itself: counts that must be exact. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { schedSlice } from '../../../src/actuator/schedSlice.ts';
import type { KernelEvent } from '../../../src/native.ts';
import { ProcHandle } from '../../../src/proc/handle.ts';
import { TracerUnavailable, WAKEUP } from '../../../src/tracer/programs.ts';
import type { Series } from '../../../src/tracer/series.ts';
import { Tracer } from '../../../src/tracer/tracer.ts';
import { ask, tell } from '../../support/conversation.ts';
import { timersByClass, untimed } from '../../support/counting.ts';
import { Program, threadIds, until } from '../../support/program.ts';
import { FIXTURES } from '../../support/taut.ts';
import { THREADS, WAITS, type Waits } from '../waits.ts';
import type { Counted, Observations, Unavailable } from './observations.ts';

/** What `work` returns; or why there is no tracer. @param timers whether it is to follow timers, where it can. */
async function withTracer<T>(timers: boolean, work: (tracer: Tracer) => Promise<T>): Promise<T | Unavailable> {
  try {
    using tracer = new Tracer({ timers, slices: true });
    return await work(tracer);
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    process.stderr.write(`${error.message}\n${error.log.slice(-3_000)}\n`);
    return { unavailable: error.message };
  }
}

/** Without its timers, which some kernels do not have. */
const ofAnyMode = <T>(work: (tracer: Tracer) => Promise<T>) => withTracer(false, work);

/** Wakeups by the slice that was in force. */
function slices(series: readonly Series[]): Record<string, number> {
  const latency = series.filter(({ quantity }) => quantity === 'wakeup.latency');
  const counts = Map.groupBy(latency, ({ slice }) => `${slice}`);
  return Object.fromEntries([...counts].map(([slice, of]) => [slice, of.reduce((n, s) => n + s.histogram.count, 0)]));
}

/** Gives the thread the least slack and slice; a real-time thread has neither. */
function tune(tid: number, hasSlice: boolean): void {
  writeFileSync(`/proc/${tid}/timerslack_ns`, '1');
  using thread = new ProcHandle(tid);
  if (hasSlice) schedSlice.write(thread, schedSlice.defaultTarget);
}

async function count(tracer: Tracer, { kind, us, times }: Waits): Promise<Counted> {
  await using program = new Program(join(FIXTURES, 'waits'), [String(THREADS)]);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: kind, createdAtMs: 0 });
  await tell(program, `${kind} ${times} ${us}`);
  for (const tid of threadIds(program.pid)) tune(tid, kind !== 'fifo' && schedSlice.support().ok);
  await tell(program, `${kind} ${times} ${us}`);
  tracer.detach(program.pid);
  const [{ series } = { series: [] }] = tracer.collect();
  return {
    kind,
    us,
    timers: timersByClass(series),
    slices: slices(series),
    counters: Object.fromEntries(tracer.counters()),
    untimed: untimed(tracer, series),
    missed: tracer.accounting.missed(WAKEUP),
  };
}

export async function observeWaits(): Promise<Observations['waits']> {
  const all: Counted[] = [];
  for (const waits of WAITS) {
    const counted = await withTracer(true, (tracer) => count(tracer, waits));
    if ('unavailable' in counted) return counted;
    all.push(counted);
  }
  return all;
}

/** Of a period of the wall clock, to whose end is waited: so long that the clock can be set meanwhile. */
const PERIOD_MS = 4_000;
const AFTER = 10;

/** The wall clock is set past what an agent waits for, then back and forth. It is nobody's but the guest's. */
export function observeClockSet(): Promise<Observations['clockSet']> {
  return withTracer(true, async (tracer) => {
    await using program = new Program(join(FIXTURES, 'waits'), [String(THREADS)]);
    await program.line(/^ready/);
    tracer.attach({ pid: program.pid, name: 'clock', createdAtMs: 0 });
    for (const steps of [[100], [-100, 100]]) {
      // Not by `tell`, whose limit is a time of the wall clock.
      const waited = ask(program, `realtime 1 ${PERIOD_MS * 1_000}`);
      await setTimeout(PERIOD_MS / 8);
      for (const seconds of steps) execFileSync('date', ['-s', `@${Math.floor(Date.now() / 1_000) + seconds}`]);
      await waited;
    }
    await ask(program, `realtime ${AFTER} 20000`);
    tracer.detach(program.pid);
    const [{ series } = { series: [] }] = tracer.collect();
    const lateness = series.filter(({ quantity }) => quantity === 'timer.lateness').map(({ histogram }) => histogram);
    return {
      threads: THREADS,
      waits: (2 + AFTER) * THREADS,
      recorded: lateness.reduce((sum, { count }) => sum + count, 0),
      discarded: tracer.counters().get('discard_clock_set') ?? 0,
      latestMs: Math.max(...lateness.map(({ maxNs }) => Number(maxNs ?? 0n) / 1e6)),
    };
  });
}

/** Agents are killed with all their threads: what the kernel reports of it. Where it can be preempted it may run no program. */
export function observeDeaths(): Promise<Observations['deaths']> {
  return ofAnyMode(async (tracer) => {
    const told = new Set<number>();
    tracer.listen((batch) => {
      for (const { kind, tid } of batch) if (kind === 'threadExit' || kind === 'processExit') told.add(tid);
    });
    let threads = 0;
    for (let round = 0; round < 40; round++) {
      await using program = new Program(join(FIXTURES, 'waits'), ['16']);
      await program.line(/^ready/);
      tracer.attach({ pid: program.pid, name: 'deaths', createdAtMs: 0 });
      threads += threadIds(program.pid).length;
      program.say('nanosleep 100000 50');
      await program.stop('SIGKILL');
      tracer.detach(program.pid);
    }
    const lost = () => [...tracer.lost().values()].reduce((sum, n) => sum + n, 0);
    await until('all deaths are told or counted', () => told.size + lost() >= threads, 10_000).catch(() => {});
    return { threads, told: told.size, lost: lost() };
  });
}

/** An agent starts threads while it is measured: what the kernel reports of them. */
export function observeBirths(): Promise<Observations['births']> {
  return ofAnyMode(async (tracer) => {
    const events: KernelEvent[] = [];
    tracer.listen((batch) => events.push(...batch));
    await using program = new Program(process.execPath, [join(FIXTURES, 'agent.mjs')]);
    await program.line(/^ready/);
    tracer.attach({ pid: program.pid, name: 'births', createdAtMs: 0 });
    const before = new Set(threadIds(program.pid));
    await tell(program, 'worker');
    const born = threadIds(program.pid).filter((tid) => !before.has(tid));
    const told = (kind: KernelEvent['kind']) =>
      events.filter((event) => event.kind === kind && event.pid === program.pid).map(({ tid }) => tid);
    await until('births are told', () => born.every((tid) => told('newThread').includes(tid)));
    const reported = born.filter((tid) => told('newThread').includes(tid)).length;
    return { born: born.length, reported };
  });
}
