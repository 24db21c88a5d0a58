/**
 * What measuring costs those who are measured and those who are not, beside programs that do nothing and other tools:
 * in CPU time of a load, and by the kernel's own accounting. A machine drifts by more than what is to be shown, so
 * everything is in short turns in random order, each beside a turn with nothing: `support/pairs.ts`.
 *
 * TAUT_BENCH_BEFORE: another checkout that is built, to be compared with this one in the same run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { check, packageRoot } from '../../src/native.ts';
import { LIFE } from '../../src/tracer/programs.ts';
import { seeded } from '../../src/util/seeded.ts';
import { estimate, inWords, median, type Pair, shuffled } from '../support/pairs.ts';
import { Program } from '../support/program.ts';
import { emptyPrograms, type Load, type Loaded, programsOf, TOOLS, type Tool, tracer } from './contenders.ts';

const ROUNDS = Number(process.env['TAUT_BENCH_ROUNDS'] ?? 200);
/** How often another tool is started: that takes a second, so its turns are fewer and longer. */
const STARTS = Math.ceil(ROUNDS / 8);
const TOOL_TURNS = 12;
const BEFORE = process.env['TAUT_BENCH_BEFORE'];
/** Operations of a turn: some 15 ms of CPU. */
const LOADS = { pipe: 3_000, timers: 4_000 } as const;
/** Of one that is not counted: the processor's caches have what another load left there. */
const WARM_UP = 500;
/** Fewer than a turn of each makes, as the kernel leaves some out. */
const WAKEUPS = 8_000;
/** Turns by which the kernel accounts: its statistics are dear, so not those whose CPU time is taken. */
const ACCOUNTED = Math.ceil(ROUNDS / 10);
type Kind = keyof typeof LOADS;
const KINDS = Object.keys(LOADS) as Kind[];

const dir = mkdtempSync(join(tmpdir(), 'taut-bench-'));
afterAll(() => rmSync(dir, { recursive: true }));
const cpu = availableParallelism() - 1;
const random = seeded(Date.now());

async function startLoad(): Promise<Load & AsyncDisposable> {
  const program = new Program(join(dir, 'turns'), [String(cpu)]);
  const [, other] = (await program.line(/^ready/)).split(' ');
  return { program, pids: [program.pid, Number(other)], [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** @returns nanoseconds of CPU of one operation. */
async function turn({ program }: Load, kind: Kind, operations: number = LOADS[kind]): Promise<number> {
  const said = program.lines.length;
  program.say(`${kind} ${operations}`);
  return Number(await program.lineAfter(said));
}

/** The median of some turns of each kind. */
async function turnsOf(load: Load): Promise<Record<Kind, number>> {
  const turns: Record<Kind, number[]> = { pipe: [], timers: [] };
  for (let n = 0; n < TOOL_TURNS; n++)
    for (const kind of shuffled(KINDS, random)) turns[kind].push(await turn(load, kind));
  return { pipe: median(turns.pipe), timers: median(turns.timers) };
}

async function runBeside<T>({ start }: Tool, work: () => Promise<T>): Promise<T> {
  await using _tool = await start();
  return await work();
}

/** Something that may be switched on for a turn. Nothing is nothing. */
interface Side {
  readonly load: Load;
  readonly loaded?: Loaded;
}

async function turnOf({ load, loaded }: Side, kind: Kind): Promise<number> {
  for (const program of loaded?.programs ?? []) check(loaded?.object.attach(program) ?? 0, `attach ${program}`);
  const ns = await turn(load, kind);
  for (const program of loaded?.programs ?? []) loaded?.object.detach(program);
  return ns;
}

interface Comparison {
  readonly name: string;
  readonly measured: Side;
  readonly reference: Side;
}

/** One after the other: each is first in half of the rounds. */
async function pairOf({ measured, reference }: Comparison, kind: Kind, isFirst: boolean): Promise<Pair> {
  await turn(measured.load, kind, WARM_UP);
  const first = await turnOf(isFirst ? measured : reference, kind);
  const second = await turnOf(isFirst ? reference : measured, kind);
  return isFirst ? [first, second] : [second, first];
}

class Results {
  readonly #pairs: ReadonlyMap<string, Record<Kind, Pair[]>>;

  /** @param names in the order in which they are printed. */
  constructor(names: readonly string[]) {
    this.#pairs = new Map(names.map((name) => [name, { pipe: [], timers: [] }]));
  }

  add(name: string, kind: Kind, pair: Pair): void {
    this.#pairs.get(name)?.[kind].push(pair);
  }

  print(): void {
    for (const [name, of] of this.#pairs) {
      const figures = KINDS.map((kind) => inWords(estimate(of[kind], random)).padEnd(30));
      process.stderr.write(`${name.padEnd(48)}${figures.join('')}\n`);
    }
    const all = (kind: Kind) => [...this.#pairs.values()].flatMap((of) => of[kind].map(([, reference]) => reference));
    const ns = KINDS.map((kind) => `${(median(all(kind)) / 1e3).toFixed(2)} us`.padEnd(30));
    process.stderr.write(`${'an operation without it (median)'.padEnd(48)}${ns.join('')}\n`);
  }
}

/** Nanoseconds of one run of each program, as the kernel accounts them: it adds about 20 ns to each. */
class Accounts {
  readonly #runs = new Map<string, Map<string, number[]>>();

  async add(name: string, side: Side, kind: Kind): Promise<void> {
    const { loaded } = side;
    if (!loaded) return;
    check(loaded.object.setStats(true), 'turn the statistics on');
    const before = new Map(check(loaded.object.runTime(), 'read the run time').map((p) => [p.name, p]));
    await turnOf(side, kind);
    for (const { name: program, ns, runs } of check(loaded.object.runTime(), 'read the run time')) {
      const was = before.get(program) ?? { ns: 0, runs: 0 };
      if (runs - was.runs < 1_000) continue;
      const of = this.#runs.get(name) ?? new Map<string, number[]>();
      this.#runs.set(name, of);
      of.set(program, [...(of.get(program) ?? []), (ns - was.ns) / (runs - was.runs)]);
    }
    check(loaded.object.setStats(false), 'turn the statistics off');
  }

  print(): void {
    for (const [name, programs] of [...this.#runs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const each = [...programs].map(([program, ns]) => `${program.replace(/^on_/, '')} ${median(ns).toFixed(0)}`);
      process.stderr.write(`${name.padEnd(56)}${each.join('   ')}\n`);
    }
  }
}

test('what measuring costs', async () => {
  execFileSync('clang', [
    ...['-O1', '-Wall', '-Werror', '-pthread', '-o', join(dir, 'turns')],
    new URL('turns.c', import.meta.url).pathname,
  ]);
  // Two loads: a look-up for a thread that has state in other programs' maps takes longer than for a stranger.
  await using strangers = await startLoad();
  await using agents = await startLoad();
  using nothingDone = emptyPrograms();
  using noAgent = tracer(packageRoot(), undefined, [...LIFE]);
  const programs = await programsOf(packageRoot());
  using elsewhere = tracer(packageRoot(), undefined, programs);
  using agent = tracer(packageRoot(), agents, programs);
  const without = { load: strangers };
  const comparisons: Comparison[] = [
    { name: 'nothing', measured: without, reference: without },
    {
      name: 'empty programs on the same tracepoints',
      measured: { ...without, loaded: nothingDone },
      reference: without,
    },
    { name: 'taut, with no agent', measured: { ...without, loaded: noAgent }, reference: without },
    { name: 'taut, the load is no agent, another is', measured: { ...without, loaded: elsewhere }, reference: without },
    { name: 'taut, the load is the agent', measured: { load: agents, loaded: agent }, reference: { load: agents } },
  ];
  using before = BEFORE === undefined ? undefined : await beforeOf(BEFORE, agents);
  if (before) {
    const [now, then] = [
      { ...without, loaded: elsewhere },
      { ...without, loaded: before.elsewhere },
    ];
    const [nowAgent, thenAgent] = [
      { load: agents, loaded: agent },
      { load: agents, loaded: before.agent },
    ];
    comparisons.push(
      { name: 'before: the load is no agent, another is', measured: then, reference: without },
      { name: 'before: the load is the agent', measured: thenAgent, reference: { load: agents } },
      { name: 'now beside before: no agent, another is', measured: now, reference: then },
      { name: 'now beside before: the agent', measured: nowAgent, reference: thenAgent },
    );
  }
  const results = new Results([...comparisons, ...TOOLS].map(({ name }) => name));
  for (let round = 1; round <= ROUNDS; round++)
    for (const comparison of shuffled(comparisons, random))
      for (const kind of shuffled(KINDS, random))
        results.add(comparison.name, kind, await pairOf(comparison, kind, round % 2 === 0));
  const accounts = new Accounts();
  const accounted = comparisons.filter(({ measured, reference }) => measured.loaded && !reference.loaded);
  for (let round = 1; round <= ACCOUNTED; round++)
    for (const { name, measured } of shuffled(accounted, random))
      for (const kind of KINDS) await accounts.add(`${name}: ${kind}`, measured, kind);
  for (let start = 0; start < STARTS; start++)
    for (const tool of shuffled(TOOLS, random)) {
      const before = await turnsOf(strangers);
      const during = await runBeside(tool, () => turnsOf(strangers));
      const after = await turnsOf(strangers);
      // What drifts in one direction meanwhile is in both halves of the reference.
      for (const kind of KINDS) results.add(tool.name, kind, [during[kind], Math.sqrt(before[kind] * after[kind])]);
    }
  const heads = ['a byte to another process and back', 'timed waits'].map((head) => head.padEnd(30));
  process.stderr.write(`${`CPU time beside nothing, 95% interval, CPU ${cpu}`.padEnd(48)}${heads.join('')}\n`);
  results.print();
  process.stderr.write('\nby the kernel, nanoseconds a run (its own 20 included)\n');
  accounts.print();
  expect(agent.recorded()).toBeGreaterThan(ROUNDS * WAKEUPS);
  expect(elsewhere.recorded()).toBe(0);
});

async function beforeOf(checkout: string, agents: Load) {
  const programs = await programsOf(checkout);
  const [elsewhere, agent] = [tracer(checkout, undefined, programs), tracer(checkout, agents, programs)];
  return {
    elsewhere,
    agent,
    [Symbol.dispose]: () => {
      elsewhere[Symbol.dispose]();
      agent[Symbol.dispose]();
    },
  };
}
