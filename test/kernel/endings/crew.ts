/** Agents that live on however taut ends, and the value that taut gives to them and to nobody else. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, setSlack, threadIds } from '../../support/program.ts';
import { Sandbox } from '../../support/taut.ts';

const DEFAULT_NS = 50_000;

export class Crew implements AsyncDisposable {
  readonly sandbox = new Sandbox();
  /** No process of this host has it but by taut, nanoseconds. */
  readonly value = 10_000 + Math.floor(Math.random() * 30_000);
  readonly threadsEach: number;
  readonly #program: string;
  readonly #started: Program[] = [];
  readonly #agents: number[] = [];

  private constructor(program: string, threadsEach: number) {
    this.#program = program;
    this.threadsEach = threadsEach;
    const fixture = { id: 'fixture', name: 'fixture-agent', anyArg: this.sandbox.mark };
    const asker = { id: 'asker', name: 'asker', dns: '*.model.example' };
    writeFileSync(this.sandbox.config, JSON.stringify({ version: 1, builtin: false, rules: [fixture, asker] }));
  }

  /** @param program the fixture `crew`, compiled. */
  static async start(program: string, agents: number, threadsEach: number): Promise<Crew> {
    const crew = new Crew(program, threadsEach);
    crew.#agents.push(...(await crew.more(agents)));
    return crew;
  }

  /** The process ids of those that were there from the start. */
  get agents(): readonly number[] {
    return this.#agents;
  }

  /** What starts as many agents again. */
  command(agents = this.#agents.length): string[] {
    return [this.#program, String(agents), String(this.threadsEach), String(process.pid), `@${this.sandbox.mark}`];
  }

  /** Starts other agents, beside those that are there. @returns their process ids. */
  async more(agents: number): Promise<number[]> {
    const [command = '', ...args] = this.command(agents);
    const program = new Program(command, args);
    this.#started.push(program);
    await program.line(/^ready/);
    return crewIn(program.lines);
  }

  /** As if no taut had ever been there: just those of the start, with the value that they had then. */
  async reset(): Promise<void> {
    for (const program of this.#started.splice(1)) await end(program);
    for (const pid of this.#agents) setSlack(pid, DEFAULT_NS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#started.splice(0)) await end(program);
    this.sandbox[Symbol.dispose]();
  }
}

async function end(program: Program): Promise<void> {
  for (const pid of crewIn(program.lines)) process.kill(pid, 'SIGKILL');
  await program[Symbol.asyncDispose]();
}

/** The process ids that the fixture printed. */
export function crewIn(lines: readonly string[]): number[] {
  const ready = lines.indexOf('ready');
  return ready < 1 ? [] : (lines[ready - 1]?.trim().split(' ').map(Number) ?? []);
}

export function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The threads of these processes that have this slack, as `PID/TID`. Those that end meanwhile have none. */
export function threadsWith(value: number, pids: readonly number[] = processIds()): string[] {
  const has = (path: string) => {
    try {
      return Number(readFileSync(path, 'latin1')) === value;
    } catch {
      return false;
    }
  };
  return pids.flatMap((pid) => {
    try {
      return threadIds(pid)
        .filter((tid) => has(join('/proc', String(tid), 'timerslack_ns')))
        .map((tid) => `${pid}/${tid}`);
    } catch {
      return [];
    }
  });
}
