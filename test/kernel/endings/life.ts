/** One taut over a crew of agents, in one of the ways that taut is used: from its start until nothing of it is left. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Program, until } from '../../support/program.ts';
import { onRecord } from '../../support/stopped.ts';
import { FIXTURES, LAUNCHER } from '../../support/taut.ts';
import { type Crew, crewIn, processIds, threadsWith } from './crew.ts';
import { groupOf, hasEnded, KINDS, type Kind, kill, MARK, markedBy, parentOf, processesOf } from './processes.ts';

export type Way = 'watch' | 'attach' | 'run' | 'demo' | 'package';

export interface Start {
  /** What taut is started by: a shell, a terminal, npm. */
  readonly through?: (command: readonly string[], dir: string) => string[];
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What is waited for before it is ended: that all are tuned and it has said so, or the same unsaid, or less. */
  readonly until?: 'said' | 'tuned' | 'started' | 'nothing';
}

export const NOTHING = 'nothing';
/** A safety net, not an expectation: how long it took is said. */
const LIMIT_MS = 10_000;
let lives = 0;

export class Life implements AsyncDisposable {
  readonly way: Way;
  readonly crew: Crew;
  readonly program: Program;
  readonly stateDir: string;
  readonly #id = `${process.pid}-${++lives}`;
  #pid = 0;
  #sample: readonly number[] = [];

  private constructor(crew: Crew, way: Way, start: Start) {
    this.crew = crew;
    this.way = way;
    this.stateDir = join(crew.sandbox.dir, `state-${lives}`);
    const command = this.#command(start.args ?? []);
    const env = { ...process.env, OTEL_METRIC_EXPORT_INTERVAL: '1000', ...start.env, [MARK]: this.#id };
    // A session of its own: no terminal of the tests, and a process group that can be signalled.
    this.program = new Program('setsid', start.through?.(command, crew.sandbox.dir) ?? command, env, crew.sandbox.dir);
  }

  static async start(crew: Crew, way: Way, start: Start = {}): Promise<Life> {
    const life = new Life(crew, way, start);
    try {
      await life.#ready(start.until ?? 'said');
      return life;
    } catch (error) {
      await life[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** taut's own process. */
  get pid(): number {
    return this.#pid;
  }

  /** The agents that this taut tunes. */
  get agents(): readonly number[] {
    if (this.way === 'run') return crewIn(this.program.lines);
    return this.way === 'demo' ? this.#sample : this.crew.agents;
  }

  get hasEnded(): boolean {
    return hasEnded(this.#pid);
  }

  /** Where the traces are. */
  get sinkDir(): string {
    return this.way === 'demo' ? join(this.stateDir, 'demo') : this.stateDir;
  }

  of(...kinds: Kind[]): number[] {
    return processesOf(this.#id, this.crew.sandbox.dir).flatMap(({ pid, kind }) => (kinds.includes(kind) ? [pid] : []));
  }

  /** Everything that was started with it as well: a shell, the reader of a pipe. */
  all(): number[] {
    return markedBy(this.#id);
  }

  signal(...signals: (NodeJS.Signals | number)[]): void {
    for (const signal of signals) if (!this.hasEnded) kill(this.#pid, signal);
  }

  /** Everybody in taut's process group: for `run`, the command as well. At its very start it has none yet. */
  signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.program;
    kill(processIds().some((each) => groupOf(each) === pid) ? -pid : pid, signal);
  }

  /** Waits until taut's own process has ended. */
  async ended(): Promise<void> {
    await until('taut has ended', () => this.hasEnded, LIMIT_MS);
  }

  /** What is to be gone, in words: the threads that have taut's value, the entries of the ledger, the processes. */
  leftovers(): string {
    const tuned = this.#tuned().length;
    const noted = onRecord(this);
    const words: string[] = processesOf(this.#id, this.crew.sandbox.dir).map(({ kind }) => kind);
    if (tuned > 0) words.unshift(`${tuned} threads tuned`);
    if (noted > 0) words.unshift(`${noted} entries in the ledger`);
    return words.join(', ') || NOTHING;
  }

  /** Waits until nothing is left, in vain for so long. @returns what is left. */
  async settled(): Promise<string> {
    const deadline = performance.now() + LIMIT_MS;
    for (;;) {
      const left = this.leftovers();
      if (left === NOTHING || performance.now() > deadline) return left;
      await setTimeout(20);
    }
  }

  /** Whether all the agents have taut's value, and are on record: what they start has the value by birth. */
  get isTuned(): boolean {
    if (this.way === 'demo') return this.isAnyTuned;
    const { threadsEach, value } = this.crew;
    const threads = this.agents.length * threadsEach;
    return threads > 0 && threadsWith(value, this.agents).length === threads && onRecord(this) >= threads;
  }

  /** Whether a thread of anybody has taut's value. */
  get isAnyTuned(): boolean {
    return this.#tuned().length > 0;
  }

  #tuned(): string[] {
    return this.way === 'demo' ? threadsWith(1, this.of('sample')) : threadsWith(this.crew.value);
  }

  #command(args: readonly string[]): string[] {
    const { value, sandbox, agents } = this.crew;
    const common = ['--state-dir', this.stateDir];
    const tuning = [...common, '--config', sandbox.config, `--optimize-timer-slack=${value}`, ...args];
    switch (this.way) {
      case 'watch':
        return [LAUNCHER, 'watch', ...tuning];
      case 'attach':
        return [LAUNCHER, 'attach', ...tuning, ...agents.map(String)];
      case 'run':
        return [LAUNCHER, 'run', ...tuning, '--', ...this.crew.command()];
      case 'demo':
        return [LAUNCHER, 'demo', ...common, '--seconds', '1', ...args];
      case 'package':
        return [process.execPath, join(FIXTURES, 'libraryUser.ts'), this.stateDir, sandbox.config, String(value)];
    }
  }

  async #ready(what: NonNullable<Start['until']>): Promise<void> {
    if (what === 'nothing') return;
    // At a terminal `run` says nothing while its command may draw there.
    if (what === 'said' && this.way !== 'run')
      await this.program.line(this.way === 'demo' ? /every thread tuned/ : /watching/);
    await this.#holds('taut runs', () => {
      const all = this.of('taut');
      this.#pid = all.find((pid) => !all.includes(parentOf(pid))) ?? 0;
      return this.#pid !== 0;
    });
    if (what === 'started') return;
    if (this.way === 'run') await this.program.line(/^ready/);
    if (this.way === 'demo') this.#sample = this.of('sample').filter((pid) => threadsWith(1, [pid]).length > 0);
    await this.#holds('every agent is tuned', () => this.isTuned);
  }

  /** Not waited for in vain, when it has ended already: a row that allows that says `started`. */
  async #holds(what: string, holds: () => boolean): Promise<void> {
    await until(what, () => holds() || this.program.child.exitCode !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Again and again: a guard restores when its daemon is killed, and a daemon replaces its guard.
    const left = () => [...new Set([...this.of(...KINDS), ...this.all()])];
    for (let pids = left(); pids.length > 0; pids = left()) await endAll(pids);
    await this.program[Symbol.asyncDispose]();
    await this.crew.reset();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

async function endAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) kill(pid);
  await until('all have ended', () => pids.every(hasEnded));
}
