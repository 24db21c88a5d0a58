/** One real agent in the middle of its conversation, and what a running taut says of it. */
import type { AgentStatus, StatusDocument } from '../../src/agents/status.ts';
import { type Program, until } from '../support/program.ts';
import type { Sandbox } from '../support/taut.ts';
import { installed } from './install.ts';
import type { AgentProgram } from './programs.ts';
import { commandLine, connected, inhabitants, runners } from './truth.ts';
import type { Task, World } from './world.ts';

export class Encounter implements AsyncDisposable {
  readonly program: AgentProgram;
  readonly startedAtMs = Date.now();
  readonly #world: World;
  readonly #process: Program;

  private constructor(program: AgentProgram, world: World, process: Program) {
    this.program = program;
    this.#world = world;
    this.#process = process;
  }

  /** Starts an agent. @returns when the model is speaking to it. */
  static async begin(program: AgentProgram, world: World, task?: Task): Promise<Encounter> {
    const before = world.requests().length;
    const process = world.start(program, installed(program), task);
    const encounter = new Encounter(program, world, process);
    let ended = false;
    void process.ended.then(() => {
      ended = true;
    });
    const asks = (request: string) => request.startsWith(`${program.host} POST `) && SPEECH.test(request);
    try {
      await until(`${program.name} asks its model`, () => {
        if (ended) throw new Error(`${program.name} ended:\n${[...process.lines, ...process.errors].join('\n')}`);
        return world.requests().slice(before).some(asks);
      });
    } catch (error) {
      await encounter[Symbol.asyncDispose]();
      throw error;
    }
    return encounter;
  }

  /** Its processes, by what they run. */
  runners(): number[] {
    return runners(this.#world, installed(this.program)).toSorted();
  }

  /** Those of this world that have these words in their command line, but for whoever was told them. */
  running(words: string): number[] {
    const told = (line: string) => line.includes(PLEASE);
    return inhabitants(this.#world).filter((pid) => commandLine(pid).includes(words) && !told(commandLine(pid)));
  }

  /** Those of them that hold its connection to the model: /proc says so, not taut. */
  workers(): number[] {
    return connected(this.#world, this.program.address).toSorted();
  }

  /** The agents that taut has, of this world: there may be others on the host. */
  async agents(sandbox: Sandbox): Promise<AgentStatus[]> {
    const { agents } = await sandbox.json<StatusDocument>('status');
    const here = new Set(inhabitants(this.#world));
    return agents.filter(({ pid }) => here.has(pid)).toSorted((a, b) => a.pid - b.pid);
  }

  /** Why a running taut has each of some processes as an agent. */
  async evidence(sandbox: Sandbox, pids: readonly number[]): Promise<string[]> {
    const explained = pids.map((pid) => sandbox.json<{ evidence: string[] }>('explain', String(pid)));
    return (await Promise.all(explained)).map(({ evidence }) => evidence.join());
  }

  /** Waits until taut has as agents exactly these processes; they may still be coming and going. */
  async foundExactly(sandbox: Sandbox, expected: () => number[]): Promise<AgentStatus[]> {
    let agents: AgentStatus[] = [];
    await until(
      `taut has exactly ${expected()}`,
      async () => {
        agents = await this.agents(sandbox);
        return expected().length > 0 && String(agents.map(({ pid }) => pid)) === String(expected());
      },
      15_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it has ${agents.map(({ pid }) => pid)}, expected ${expected()}`);
    });
    return agents;
  }

  /** Ends the conversation. @returns the agent's exit code. */
  async end(): Promise<number> {
    this.#world.end();
    return this.#process.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Those that they started go with them, or before: by their ids.
    for (const pid of this.runners()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {} // gone
    }
    await this.#process[Symbol.asyncDispose]();
  }
}

/** What the models take for a command that they are to have run. */
export const PLEASE = 'run this: ';

/** What the models answer at length. */
const SPEECH = /\/(messages|responses|completions)(\?|\s)|:streamGenerateContent/;
