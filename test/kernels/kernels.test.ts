/** taut on kernels of several ages: each is booted once, looks at taut by itself, and is judged here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { madeByClass, missingByClass } from '../support/counting.ts';
import { kernelImage } from './archive.ts';
import { type Booted, boot } from './boot.ts';
import type { ClockSet, Counted, Observations } from './guest/observations.ts';
import { buildInitramfs } from './initramfs.ts';
import { type Arch, SERIES, type Series } from './series.ts';
import { THREADS, WAITS } from './waits.ts';
import { worldOf } from './world.ts';

const dir = mkdtempSync(join(tmpdir(), 'taut-kernels-'));

/** An emulated processor has one of the host's at a time. */
const AT_ONCE = 2;
let boots: ReadonlyMap<Series, Promise<Booted>>;
beforeAll(() => {
  const worlds = new Map<Arch, string>();
  for (const arch of new Set(SERIES.map((series) => series.arch)))
    worlds.set(arch, buildInitramfs(join(dir, arch), worldOf(arch)));
  const waiting = SERIES.map((series) => ({ series, booted: Promise.withResolvers<Booted>() }));
  boots = new Map(waiting.map(({ series, booted }) => [series, booted.promise]));
  const bootNext = async (): Promise<void> => {
    const next = waiting.shift();
    if (!next) return;
    const { series, booted } = next;
    const run = (async () => boot(kernelImage(series), worlds.get(series.arch) ?? '', series))();
    booted.promise.catch(() => {}); // that one's own tests say what went wrong
    booted.resolve(run);
    await run.catch(() => {});
    await bootNext();
  };
  for (let i = 0; i < AT_ONCE; i++) void bootNext();
});
afterAll(() => rmSync(dir, { recursive: true }));

const sum = (counters: Counted['counters'], pattern: RegExp) =>
  Object.entries(counters).reduce((n, [name, value]) => (pattern.test(name) ? n + value : n), 0);

describe.each(SERIES)('Linux $name', (series) => {
  const { mode } = series;
  let booted: Booted;
  beforeAll(async () => {
    booted = (await boots.get(series)) as Booted;
  });

  /** @throws Error with what the guest said when it did not get that far. */
  const observed = <Name extends keyof Observations>(name: Name): Observations[Name] => {
    if (!booted.report.has(name)) throw new Error(`the guest reports no ${name}; its console:\n${booted.console}`);
    return booted.report.get(name) as Observations[Name];
  };
  const unavailable = { unavailable: expect.any(String) };

  test('boots, is what it was taken for, and ends as it should', () => {
    expect(observed('kernel')).toMatch(new RegExp(`^${series.version.replaceAll('.', '\\.')}\\.`));
    expect(booted.exitCode, booted.console).toBe(0);
    expect(booted.console).not.toMatch(/Oops|BUG:|WARNING:|Kernel panic/);
  });

  test('doctor says what can be done here, and ends with 3 where something can not', () => {
    const lacks = { full: [], wakeups: ['timer chain'], schedstat: ['kernel tracer'] };
    const { why, ...doctor } = observed('doctor');
    expect(doctor).toEqual({
      exitCode: mode !== 'full' || !series.hasSlices ? 3 : 0,
      measure: mode !== 'schedstat',
      tune: true,
      mode,
      missing: [
        ...(series.hasSlices ? [] : ['sched_setattr']),
        ...lacks[mode],
        ...(series.hasNames ? [] : ['names and connections']),
      ],
    });
    expect(why[series.hasSlices ? 0 : 1] ?? '').toMatch(series.lack ?? /^$/);
  });

  test('an agent is found, tuned with all its threads, verified and put back', () => {
    const { before, tuned, bornLater, child, status, after, ledgerAfter, slices } = observed('tuning');
    const all = (slacks: number[], ns: number) => expect(new Set(slacks)).toEqual(new Set([ns]));
    all(before, 50_000);
    all(tuned, 1);
    all(bornLater, 1);
    all(after, 50_000);
    expect(tuned).toHaveLength(before.length);
    expect(after).toHaveLength(before.length + bornLater.length);
    const threads = before.length + bornLater.length;
    expect(status).toEqual({ total: threads, tuned: threads, ledger: series.hasSlices ? 2 * threads : threads });
    const [standard] = new Set(slices.before);
    expect(new Set(slices.before)).toEqual(new Set([standard]));
    expect(new Set(slices.tuned)).toEqual(new Set([series.hasSlices ? 100_000 : standard]));
    expect(new Set(slices.after)).toEqual(new Set([standard]));
    expect(ledgerAfter).toBe(0);
    expect(child, 'a child that no rule names').toBe(50_000);
  });

  test('what it can not measure it says once, and in its exit code', () => {
    const { exitCode, modes, wakeups, waitedSeconds, lacking } = observed('tuning');
    expect(modes).toEqual([mode]);
    expect(lacking).toEqual(series.hasSlices ? [] : [expect.stringMatching(/scheduler slice: .*Linux 6.12 or later/)]);
    expect(exitCode).toBe(mode !== 'full' || !series.hasSlices ? 1 : 0);
    expect(wakeups > 0).toBe(mode !== 'schedstat');
    expect(waitedSeconds > 0).toBe(mode === 'schedstat');
  });

  test('questions to a resolver and connections are seen, whether or not a packet tells who sends it', () => {
    const seen = { asked: ['api.model.example', 'other.example'], connected: 3 };
    expect(observed('names')).toEqual(series.hasNames ? seen : unavailable);
  });

  test('every timed wait is counted, in the right slack class, before and after tuning', () => {
    const waits = observed('waits');
    if (mode !== 'full') return expect(waits).toEqual(unavailable);
    for (const [i, { kind, timers, untimed }] of (waits as Counted[]).entries()) {
      const { times = 0, asFound = '', tuned = '' } = WAITS[i] ?? {};
      const made = madeByClass(times * THREADS, asFound, tuned);
      expect(Object.keys(timers).toSorted(), kind).toEqual(Object.keys(made).toSorted());
      const missing = missingByClass(made, timers);
      expect(Math.min(...missing), kind).toBeGreaterThanOrEqual(0);
      expect(
        missing.reduce((n, of) => n + of, 0),
        kind,
      ).toBeLessThanOrEqual(untimed);
    }
  });

  test('a timer whose clock was set past its time is discarded, and no lateness; others of that clock are counted', () => {
    const clockSet = observed('clockSet');
    if (mode !== 'full') return expect(clockSet).toEqual(unavailable);
    const { threads, waits, recorded, discarded, latestMs } = clockSet as ClockSet;
    expect(recorded + discarded).toBe(waits);
    expect(discarded).toBeGreaterThanOrEqual(threads);
    // So is the machine's first timer after each step, if it is of such a clock.
    expect(discarded).toBeLessThanOrEqual(waits / 2);
    expect(latestMs).toBeLessThan(50_000);
  });

  test('wakeups are told apart by the slice that was in force', () => {
    const waits = observed('waits');
    if (mode !== 'full') return expect(waits).toEqual(unavailable);
    for (const [i, { kind, slices }] of (waits as Counted[]).entries()) {
      const isSet = series.hasSlices && kind !== 'fifo';
      expect(Object.keys(slices).toSorted(), kind).toEqual(isSet ? ['default', 'tuned'] : ['default']);
      if (isSet) expect(slices['tuned']).toBeGreaterThanOrEqual((WAITS[i]?.times ?? Number.NaN) * THREADS);
    }
  });

  test('what was seen is what was recorded and discarded, and nothing was lost', () => {
    const waits = observed('waits');
    if (mode !== 'full') return expect(waits).toEqual(unavailable);
    for (const { counters, missed } of waits as Counted[]) {
      expect(sum(counters, /^wakeup_seen$/)).toBeGreaterThan(0);
      expect(sum(counters, /^wakeup_recorded$|^discard_(?!timer_)/)).toBe(sum(counters, /^wakeup_seen$/));
      expect(sum(counters, /^timer_recorded$|^discard_timer_/)).toBe(sum(counters, /^timer_seen$/));
      expect(sum(counters, /negative|out_of_range|no_series|lost/)).toBe(0);
      // For these the kernel ran no program, most often as it ran on that CPU already, which it counts.
      expect(sum(counters, /unseen/)).toBeLessThanOrEqual(missed + 2);
    }
  });

  test('threads of an agent are reported as they are born', () => {
    const births = observed('births');
    if (mode === 'schedstat') return expect(births).toEqual(unavailable);
    const { born } = births as { born: number };
    expect(born).toBeGreaterThan(0);
    expect(births).toEqual({ born, reported: born });
  });

  test('the end of every thread of killed agents is told, or counted as lost, after which all is looked at again', () => {
    const deaths = observed('deaths');
    if (mode === 'schedstat') return expect(deaths).toEqual(unavailable);
    const { threads, told, lost } = deaths as { threads: number; told: number; lost: number };
    process.stderr.write(`Linux ${series.name}: ${threads} threads killed, ${told} ends told, ${lost} events lost\n`);
    expect(threads).toBeGreaterThan(500);
    expect(told + lost).toBeGreaterThanOrEqual(threads);
  });
});
