/**
 * How soon a key shows on the screen of real agents, each at a terminal of its own, beside what they have built: with nothing
 * running, as found, with each knob, with `--optimize`, and put back. All arms in turns in one run, in another order each round,
 * switched by a flag file, as a user would. Prints what it measured; asserts only that everything was measured.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { installAll, installed } from '../agents/install.ts';
import { PROGRAMS } from '../agents/programs.ts';
import { printTable } from '../agents/table.ts';
import { commandLine, inhabitants } from '../agents/truth.ts';
import { World } from '../agents/world.ts';
import { type Program, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';

const ROUNDS = Number(process.env['TAUT_BENCH_ROUNDS'] ?? 5);
const KEYS = 28;
const TOOLS = 4;
/** For the tools and for what was switched to take effect. */
const SETTLE_MS = 1_000;
const TICKS_PER_SECOND = 100;

interface Arm {
  readonly name: string;
  /** The flags that are on. */
  readonly on: readonly string[];
  /** The knobs that these turn. */
  readonly knobs: readonly string[];
  readonly isIdle?: boolean;
}

interface Turn {
  /** Milliseconds from a key to the first byte; infinite when nothing was painted. */
  readonly delays: readonly number[];
  /** What was painted while nobody had typed. */
  readonly unasked: number;
  /** What the agent's tools and the agent itself used, in CPUs. */
  readonly tools: number;
  readonly agent: number;
  /** The nice values of the tools that it started. */
  readonly nice: readonly number[];
}

const RESPONSIVE = KNOBS.filter(({ profile }) => profile === 'responsive').map(({ id }) => id);
const FOUND: Arm = { name: 'as found', on: [], knobs: [] };
const ARMS: readonly Arm[] = [
  { name: 'nothing running', on: [], knobs: [], isIdle: true },
  FOUND,
  ...KNOBS.map(({ id, option }) => ({ name: `--${option}`, on: [option], knobs: [id] })),
  { name: '--optimize', on: ['optimize'], knobs: RESPONSIVE },
  { name: 'put back', on: [], knobs: [] },
];
const LOADS = [
  { kind: 'compute', what: `${TOOLS} shells that only count` },
  { kind: 'compile', what: `${TOOLS} endless compilations` },
];
const AGENTS = PROGRAMS.filter(({ interactive }) => interactive !== undefined).flatMap((program) => {
  const as = (title: string, interactive = program.interactive ?? []) => ({ ...program, title, interactive });
  const { name, version } = program;
  // A daemon is how it runs unless it is told otherwise.
  return name === 'codex'
    ? [as(`codex ${version}`), as(`codex ${version} with its daemon`, [])]
    : [as(`${name} ${version}`)];
});

/** An agent at a terminal with tools that it has started, and taut, which a flag file tells what to tune. */
class Bench {
  readonly #sandbox: Sandbox;
  readonly #world: World;
  readonly #person: Program;
  readonly #dir: string;
  #pid = 0;

  constructor(sandbox: Sandbox, world: World, person: Program) {
    this.#sandbox = sandbox;
    this.#world = world;
    this.#person = person;
    this.#dir = sandbox.dir;
  }

  /** Waits until the agent shows what is typed. */
  async begin(): Promise<void> {
    this.#pid = Number((await this.#person.line(/^pid /)).split(' ')[1]);
    await until('the agent has started its builder', () => this.#builder() !== undefined);
    await this.#ask('quiet 2000');
    const before = this.#screen().length;
    await this.#ask(`type ${Buffer.from('Q').toString('hex')}`);
    await until('the agent shows what is typed', () => this.#screen().slice(before).includes('Q'));
    await this.#ask('type 7f');
    await this.#ask('quiet 2000');
  }

  /** Whether the kernel's autogroup keeps the tools apart from what is at the terminal. */
  get areToolsApart(): boolean {
    return sessionOf(this.#pid) !== sessionOf(this.#builder() ?? 0);
  }

  async turn(kind: string, { on, knobs, isIdle }: Arm): Promise<Turn> {
    this.switch(on);
    let agents: StatusDocument['agents'] = [];
    await until('the flags are heard', async () => {
      agents = await this.#agents();
      const hasHeard = (agent: (typeof agents)[number]) =>
        agent.knobs.every(({ id, target }) => (target !== null) === knobs.includes(id));
      return agents.length > 0 && agents.every(hasHeard);
    });
    if (!isIdle) {
      this.#order(`start ${TOOLS} ${kind}`);
      await until('the tools run', () => childrenOf(this.#builder() ?? 0).length === TOOLS);
    }
    await setTimeout(SETTLE_MS);
    const pids = agents.map(({ pid }) => pid);
    const before = this.#cpu(pids);
    const measured = await this.#ask(`measure ${KEYS}`);
    const after = this.#cpu(pids);
    const nice = childrenOf(this.#builder() ?? 0).map(niceOf);
    this.#order('stop');
    await until('the tools have ended', () => childrenOf(this.#builder() ?? 0).length === 0);
    const [, delays = '', unasked] = /^measured ([-\d ]+) unasked (\d+)$/.exec(measured) ?? [];
    if (unasked === undefined) throw new Error(measured);
    const used = (of: 'tools' | 'agent') => (after[of] - before[of]) / (after.seconds - before.seconds);
    return {
      delays: delays.split(' ').map((us) => (Number(us) < 0 ? Number.POSITIVE_INFINITY : Number(us) / 1e3)),
      unasked: Number(unasked),
      tools: used('tools'),
      agent: used('agent'),
      nice,
    };
  }

  switch(on: readonly string[]): void {
    const flag = { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' };
    const flags = Object.fromEntries(on.map((option) => [`taut.${option}`, flag]));
    writeFileSync(this.flags, JSON.stringify({ flags }));
  }

  get flags(): string {
    return join(this.#dir, 'flags.json');
  }

  /** All that the terminal has shown. */
  #screen(): string {
    return readFileSync(join(this.#dir, 'screen'), 'latin1');
  }

  /** Those of this world: there may be others on the host. */
  async #agents(): Promise<StatusDocument['agents']> {
    const { agents } = await this.#sandbox.json<StatusDocument>('status');
    const here = new Set(inhabitants(this.#world));
    return agents.filter(({ pid }) => here.has(pid));
  }

  #builder(): number | undefined {
    return inhabitants(this.#world).find((pid) => commandLine(pid).includes('builder.py'));
  }

  #order(words: string): void {
    writeFileSync(join(this.#dir, 'orders'), `${words}\n`);
  }

  #cpu(agents: readonly number[]): { seconds: number; tools: number; agent: number } {
    const tree = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(tree)];
    const tools = childrenOf(this.#builder() ?? 0).flatMap(tree);
    return {
      seconds: performance.now() / 1e3,
      tools: sum(tools.map((pid) => cpu(pid, 'with children'))),
      agent: sum(agents.map((pid) => cpu(pid, 'own'))),
    };
  }

  async #ask(what: string): Promise<string> {
    const before = this.#person.lines.length;
    this.#person.say(what);
    await this.#person.lineAfter(before);
    return this.#person.lines[before] ?? '';
  }
}

/** Of /proc/PID/stat, from the third on; zeros when the process is gone. */
function fields(pid: number): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number); // biome-ignore format: as one would say it
  } catch {
    return new Array<number>(50).fill(0);
  }
}

const niceOf = (pid: number) => fields(pid)[19 - 3] ?? 0;
const sessionOf = (pid: number) => fields(pid)[6 - 3];

/** Seconds: user and system time, and, if asked for, that of the children that have ended. */
function cpu(pid: number, which: 'own' | 'with children'): number {
  return sum(fields(pid).slice(14 - 3, which === 'own' ? 16 - 3 : 18 - 3)) / TICKS_PER_SECOND;
}

const quantile = (all: readonly number[], q: number) =>
  all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(q * all.length))] ?? Number.NaN;
const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);
const ms = (time: number) => (Number.isFinite(time) ? `${time.toFixed(1)} ms` : 'over 2 s');
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

/** A row for each arm: the quantiles of all its keys; what tools and agent used, the former against what they used as found. */
function rows(turns: ReadonlyMap<Arm, readonly Turn[]>): string[][] {
  const found = sum((turns.get(FOUND) ?? []).map(({ tools }) => tools));
  return [...turns].map(([{ name, isIdle }, all]) => {
    const delays = all.flatMap((turn) => turn.delays);
    const keys = delays.length;
    return [
      name,
      ...[0.5, 0.9, 0.99].map((q) => ms(quantile(delays, q))),
      [...new Set(all.flatMap(({ nice }) => nice))].join(),
      isIdle ? '' : percent(sum(all.map(({ tools }) => tools)) / found),
      percent(sum(all.map(({ agent }) => agent)) / all.length),
      `${delays.filter((delay) => !Number.isFinite(delay)).length} of ${keys}`,
      String(sum(all.map(({ unasked }) => unasked))),
    ];
  });
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => [Math.random(), one] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, one]) => one);
}

let world: World;

beforeAll(async () => {
  await Promise.all(installAll(AGENTS).values());
  world = await World.open();
});

afterEach(() => world.endGuests());

afterAll(() => world[Symbol.asyncDispose]());

test.each(AGENTS)('$title beside its own tools', async (program) => {
  const rules = BUILTIN_RULES.filter(({ name }) => name === program.name);
  using sandbox = Sandbox.withRules(rules.map((rule) => ({ ...rule, cwd: `${world.dir}/*` })));
  const inside = (name: string) => join(sandbox.dir, name);
  const source = (name: string) => join(import.meta.dirname, name);
  execFileSync('gcc', ['-O1', '-Wall', '-Werror', '-o', inside('typing'), source('typing.c'), '-lutil']);
  execFileSync('mkfifo', [inside('orders')]);
  const args = [source('builder.py'), inside('orders'), source('typing.c')];
  const servers = [{ name: 'builder', command: '/usr/bin/python3', args }];
  await using person = world.startAt([inside('typing'), inside('screen')], program, installed(program), servers);
  const bench = new Bench(sandbox, world, person);
  bench.switch([]);
  await using _taut = await sandbox.watch('--flags', bench.flags);
  await bench.begin();
  const place = bench.areToolsApart ? 'another session' : 'its session';
  for (const { kind, what } of LOADS) {
    const turns = new Map(ARMS.map((arm) => [arm, [] as Turn[]]));
    for (let round = 0; round < ROUNDS; round++)
      for (const arm of shuffled(ARMS)) turns.get(arm)?.push(await bench.turn(kind, arm));
    const head = [
      'arm',
      'p50',
      'p90',
      'p99',
      'nice of its tools',
      'their CPU',
      'its own',
      'unanswered',
      'painted unasked',
    ];
    printTable(`key to screen of ${program.title} beside ${what} in ${place}`, head, rows(turns));
    for (const [{ isIdle = false }, all] of turns) {
      expect(all).toHaveLength(ROUNDS);
      for (const { tools } of all) expect(tools === 0).toBe(isIdle);
    }
  }
});
