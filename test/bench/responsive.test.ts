/**
 * How late an agent is woken beside its own tools, which use up the CPUs, of four kinds: as found, with each knob, with all
 * of them, and put back; and beside that what people do by hand. All arms in turns in one run, in another order each round.
 * Prints what it measured; asserts only that everything was measured, and that taut's histograms and the program's own clock
 * agree.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { type HistogramPoint, type MetricRequest, metricsOf, values } from '../support/otlp.ts';
import { Program, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';

const ROUNDS = Number(process.env['TAUT_BENCH_ROUNDS'] ?? 4);
const WAKEUPS = 800;
/** For how long the agent computes after each wakeup, in microseconds: less than its fair share beside its tools. */
const WORK_US = 700;
const TOOLS = 4;
/** What --optimize-tools gives them by default. */
const NICE = 10;
const SOURCE = join(import.meta.dirname, 'responsive.c');
/** 2^-11 s, about half a millisecond: a bound of taut's buckets, so both clocks count the same. */
const LATE_BUCKET = -11 * 8;

interface Measured {
  readonly wakeups: number;
  readonly late: number;
  readonly p50: number;
  readonly p99: number;
  /** What the tools and the bystander have counted in a second. */
  readonly tools: number;
  readonly bystander: number;
}

/** What taut has exported of the agent's wakeups since the last turn. */
interface Exported {
  readonly wakeups: number;
  readonly late: number;
}

interface Turn {
  readonly own: Measured;
  readonly taut: Exported;
}

interface Arm {
  readonly name: string;
  /** Options whose flags are on. */
  readonly on: readonly string[];
  /** What somebody does without taut. */
  readonly byHand?: (agent: number, tools: readonly number[]) => void;
}

const OPTIONS = KNOBS.map(({ option }) => option);
const ARMS: readonly Arm[] = [
  { name: 'as found', on: [] },
  ...OPTIONS.map((option) => ({ name: `--${option}`, on: [option] })),
  { name: 'all of these', on: OPTIONS },
  { name: 'put back', on: [] },
];
const BY_HAND: readonly Arm[] = [
  { name: 'by hand: the agent at nice -5', on: [], byHand: (agent) => setPriority(agent, -5) },
  {
    name: 'by hand: its tools at SCHED_IDLE',
    on: [],
    byHand: (_, tools) => {
      for (const tool of tools) execFileSync('chrt', ['--idle', '--pid', '0', String(tool)]);
    },
  },
];

/** What computes beside the agent. */
interface Load {
  /** The tools, by the kinds of `responsive.c`. */
  readonly kind: string;
  readonly what: string;
  readonly arms: readonly Arm[];
  readonly hasBystander?: boolean;
}

const LOADS: readonly Load[] = [
  { kind: 'compute', what: 'tools that only compute', arms: [...ARMS, ...BY_HAND] },
  { kind: 'compute', what: 'such tools, and a bystander in another session', arms: ARMS, hasBystander: true },
  { kind: 'short', what: 'tools that live for 200 ms each', arms: ARMS },
  { kind: 'compile', what: 'compilers', arms: ARMS },
  { kind: 'apart', what: 'tools in a session of their own: what autogroup gives', arms: ARMS },
];

/** The agent, its tools, and taut, which a flag file tells what to tune. */
class Bench {
  readonly #sandbox: Sandbox;
  readonly #agent: Program;
  readonly #flags: string;
  #pid = 0;
  #bystander = 0;
  #before: Exported = { wakeups: 0, late: 0 };

  constructor(sandbox: Sandbox, agent: Program, flags: string) {
    this.#sandbox = sandbox;
    this.#agent = agent;
    this.#flags = flags;
    this.switch([]);
  }

  async begin(): Promise<void> {
    this.#bystander = Number((await this.#agent.line(/^bystander /)).split(' ')[1]);
    this.#pid = Number((await this.#agent.line(/^pid /)).split(' ')[1]);
  }

  switch(on: readonly string[]): void {
    const flag = (option: string) => ({
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: on.includes(option) ? 'on' : 'off',
    });
    const flags = Object.fromEntries(OPTIONS.map((option) => [`taut.${option}`, flag(option)]));
    writeFileSync(this.#flags, JSON.stringify({ flags }));
  }

  /** One arm, from the start of the tools to their end. */
  async turn({ kind, hasBystander = false }: Load, { on, byHand }: Arm): Promise<Turn> {
    this.switch(on);
    const isOn = new Set(KNOBS.filter(({ option }) => on.includes(option)).map(({ id }) => id));
    process.kill(this.#bystander, hasBystander ? 'SIGCONT' : 'SIGSTOP');
    await until('the flags are heard', async () => {
      const { agents } = await this.#sandbox.json<StatusDocument>('status');
      return agents[0]?.knobs.every(({ id, target }) => (target !== null) === isOn.has(id)) === true;
    });
    const tools = (await this.#ask(`tools ${TOOLS} ${kind}`)).split(' ').slice(1).map(Number);
    byHand?.(this.#pid, tools);
    await setTimeout(500);
    const own = JSON.parse(await this.#ask(`measure ${WAKEUPS} ${WORK_US}`)) as Measured;
    expect(own.tools, 'what the tools did').toBeGreaterThan(0);
    expect(new Set(tools.map((pid) => getPriority(pid))), 'the nice values of the tools').toEqual(
      new Set([isOn.has('tool_priority') ? NICE : 0]),
    );
    await this.#ask('stop');
    setPriority(this.#pid, constants.priority.PRIORITY_NORMAL);
    const now = await this.#exportedAfter(Date.now());
    const taut = { wakeups: now.wakeups - this.#before.wakeups, late: now.late - this.#before.late };
    this.#before = now;
    return { own, taut };
  }

  async #ask(what: string): Promise<string> {
    const before = this.#agent.lines.length;
    this.#agent.say(what);
    await until(what, () => this.#agent.lines.length > before);
    return this.#agent.lines[before] ?? '';
  }

  /** Of the first export that was made after this time: milliseconds since the epoch. */
  async #exportedAfter(atMs: number): Promise<Exported> {
    let points: HistogramPoint[] = [];
    await until('an export', () => {
      const last = this.#sandbox.exports().at(-1);
      const metrics = metricsOf([JSON.parse(last || '{"resourceMetrics":[]}') as MetricRequest], 'taut.wakeup.latency');
      points = metrics.flatMap(({ exponentialHistogram }) => exponentialHistogram?.dataPoints ?? []);
      points = points.filter(({ attributes }) => values(attributes)['taut.wakeup.source'] === 'timer');
      return points.some(({ timeUnixNano }) => Number(timeUnixNano) / 1e6 > atMs);
    });
    const late = ({ positive: { offset = 0, bucketCounts = [] } }: HistogramPoint) =>
      bucketCounts.reduce<number>((sum, n, i) => sum + (offset + i >= LATE_BUCKET ? Number(n) : 0), 0);
    return {
      wakeups: points.reduce((sum, { count }) => sum + Number(count), 0),
      late: points.reduce((sum, point) => sum + late(point), 0),
    };
  }
}

/** One line for each arm: the sums of its turns, the medians of their quantiles, and the others' work against the first arm's. */
function tell(turns: ReadonlyMap<Arm, readonly Turn[]>): void {
  const found = [...turns.values()][0] ?? [];
  say(`  ${''.padEnd(40)}    late  (taut)        p50        p99    tools  bystander`);
  for (const [{ name }, all] of turns) {
    const sum = (of: (turn: Turn) => number, from = all) => from.reduce((total, turn) => total + of(turn), 0);
    const own = (of: (m: Measured) => number) => median(all.map((turn) => of(turn.own)));
    const kept = (of: (m: Measured) => number) => sum((t) => of(t.own)) / sum((t) => of(t.own), found);
    const bystander = found[0]?.own.bystander ? percent(kept((m) => m.bystander)) : 'none'.padStart(7);
    const late = percent(sum((t) => t.own.late) / sum((t) => t.own.wakeups));
    const byTaut = percent(sum(({ taut }) => taut.late) / sum(({ taut }) => taut.wakeups));
    const times = `${ms(own((m) => m.p50))} ${ms(own((m) => m.p99))}`;
    say(`  ${name.padEnd(40)} ${late} ${byTaut} ${times}  ${percent(kept((m) => m.tools))}    ${bystander}`);
  }
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
const percent = (part: number) => `${(100 * part).toFixed(1)}%`.padStart(7);
const ms = (seconds: number) => `${(1_000 * seconds).toFixed(2)} ms`.padStart(10);

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => [Math.random(), one] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, one]) => one);
}

test('an agent beside its own tools', async () => {
  say(
    `${ROUNDS} turns of ${WAKEUPS} wakeups each, after each of which the agent computes for ${WORK_US} us; late: by more than 488 us`,
  );
  using sandbox = new Sandbox();
  const program = join(sandbox.dir, 'responsive');
  const tool = join(sandbox.dir, 'tool');
  const defined = [`-DSOURCE="${SOURCE}"`, `-DTOOL="${tool}"`];
  execFileSync('clang', ['-O1', '-Wall', '-Werror', ...defined, '-o', program, SOURCE]);
  copyFileSync(program, tool);
  await using agent = new Program(program, [sandbox.mark]);
  const flags = join(sandbox.dir, 'flags.json');
  const bench = new Bench(sandbox, agent, flags);
  await using taut = await sandbox.watch('--flags', flags);
  await bench.begin();
  await taut.line(/attached to/);

  for (const load of LOADS) {
    const { what, arms } = load;
    const turns = new Map(arms.map((arm) => [arm, [] as Turn[]]));
    for (let round = 0; round < ROUNDS; round++)
      for (const arm of shuffled(arms)) turns.get(arm)?.push(await bench.turn(load, arm));
    say(`beside ${TOOLS} ${what}`);
    tell(turns);
    for (const all of turns.values()) expect(all).toHaveLength(ROUNDS);
    // A timer that fires before the program sleeps wakes nobody. The program reads its clock a little after it runs again,
    // and may have to wait for that, too.
    for (const all of turns.values()) {
      const sum = (of: (turn: Turn) => number) => all.reduce((total, turn) => total + of(turn), 0);
      const wakeups = sum(({ own }) => own.wakeups);
      expect(sum(({ taut: t }) => t.wakeups)).toBeGreaterThanOrEqual(0.9 * wakeups);
      expect(Math.abs(sum(({ taut: t }) => t.late) - sum(({ own }) => own.late))).toBeLessThanOrEqual(0.03 * wakeups);
    }
  }
});
