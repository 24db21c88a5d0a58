import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { Encounter } from './encounter.ts';
import { installAll } from './install.ts';
import { measured } from './measured.ts';
import { PROGRAMS } from './programs.ts';
import { printTable, us } from './table.ts';
import { slacks } from './truth.ts';
import { World } from './world.ts';

const ORIGINAL = 50_000;
const MEASURE_MS = 10_000;

let world: World;
const rows: string[][] = [];

beforeAll(async () => {
  await Promise.all(installAll(PROGRAMS).values());
  world = await World.open();
});

afterAll(async () => {
  const head = ['agent', 'processes', 'threads', 'wakeups/s', 'by timers that slack reaches'];
  const times = ['their lateness, p50', 'tuned', 'run-queue delay, p50', 'tuned'];
  printTable('while a model speaks to them', [...head, ...times], rows);
  await world[Symbol.asyncDispose]();
});

/** The built-in rules, for this world alone: nothing else on the host is to be tuned. */
function sandboxFor(name: string): Sandbox {
  const here = BUILTIN_RULES.filter((rule) => rule.name === name).map((rule) => ({ ...rule, cwd: `${world.dir}/*` }));
  return Sandbox.withRules(here);
}

test.each(PROGRAMS)(
  'every thread of $name $version is tuned, and put back as taut ends, or by taut restore after it was killed',
  async (program) => {
    using asFound = sandboxFor(program.name);
    using tuned = sandboxFor(program.name);
    await using agent = await Encounter.begin(program, world);
    const all = () => agent.runners().flatMap(slacks);
    const allHave = (slack: number) =>
      until(`every thread has ${slack} ns`, () => new Set(all()).size === 1 && all()[0] === slack, 15_000);
    expect(new Set(all())).toEqual(new Set([ORIGINAL]));

    await using watching = await asFound.watch();
    await setTimeout(MEASURE_MS);
    expect(new Set(all())).toEqual(new Set([ORIGINAL]));
    await watching.stop();

    await using tuning = await tuned.watch('--optimize-timer-slack');
    await allHave(1);
    await setTimeout(MEASURE_MS);
    await allHave(1);
    const processes = agent.runners();
    const threads = all().length;
    expect(await tuning.stop()).toBe(0);
    const after = measured(tuned, processes, true);
    expect(new Set(all())).toEqual(new Set([ORIGINAL]));

    await using killed = await tuned.watch('--optimize-timer-slack', '--no-guard');
    await allHave(1);
    await killed.stop('SIGKILL');
    expect(new Set(all())).toEqual(new Set([1]));
    await using restore = tuned.taut('restore');
    expect(await restore.ended, restore.errors.join('\n')).toBe(0);
    expect(new Set(all())).toEqual(new Set([ORIGINAL]));
    expect(await agent.end()).toBe(0);

    const before = measured(asFound, processes, false);
    expect(before.wakeups).toBeGreaterThan(0);
    const share = (100 * before.reachable) / before.wakeups;
    rows.push([
      `${program.name} ${program.version}`,
      String(processes.length),
      String(threads),
      (before.wakeups / (MEASURE_MS / 1e3)).toFixed(0),
      `${share.toFixed(1)}%`,
      ...[before, after].map(({ lateness }) => us(lateness)),
      ...[before, after].map(({ runQueueDelay }) => us(runQueueDelay)),
    ]);
  },
);
