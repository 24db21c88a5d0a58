/** A network of its own for real agents, with a real resolver and the models that they talk to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { Program } from '../support/program.ts';
import { type Installable, type Installed, NODE_FOLDER } from './install.ts';
import { personalFiles, type ToolServer } from './personal.ts';
import { type AgentProgram, PROGRAMS } from './programs.ts';
import { inhabitants } from './truth.ts';

/** What an agent is asked for instead of a greeting, and the servers of tools that it has for that. */
export interface Task {
  readonly prompt: string;
  readonly servers: readonly ToolServer[];
}

/** How a program is run. */
export interface Runnable extends Installable {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What is started with these is the first process of a process namespace, which ends with this process. */
const BOUNDS = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

export class World implements AsyncDisposable {
  /** Its folder: the agents' homes are in it. */
  readonly dir: string;
  readonly #models: Program;

  private constructor(dir: string, models: Program) {
    this.dir = dir;
    this.#models = models;
  }

  /** @param knownBy how the models' names become addresses: `hosts`, and nobody can see them asked for. */
  static async open(knownBy: 'resolver' | 'hosts' = 'resolver'): Promise<World> {
    const dir = mkdtempSync(join(tmpdir(), 'taut-world-'));
    const script = join(import.meta.dirname, 'fixtures/world.sh');
    const names = PROGRAMS.flatMap(({ host, otherHosts = [], address }) =>
      [host, ...otherHosts].map((name) => `${name}/${address}`),
    );
    const models = new Program('unshare', ['--net', '--mount', 'sh', script, dir, process.execPath, knownBy, ...names]);
    try {
      await models.line(/^serving/);
    } catch (error) {
      await models[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
    return new World(dir, models);
  }

  /** The process whose namespaces it is. */
  get pid(): number {
    return this.#models.pid;
  }

  /** Starts an agent in it, with a home of its own; it has the process id of the returned program. */
  start(
    { name, args, freely = [], env }: Runnable & Partial<AgentProgram>,
    { command }: Installed,
    task?: Task,
  ): Program {
    const words = task ? [...args.map((word) => (word === 'hi' ? task.prompt : word)), ...freely] : args;
    const files = (folder: string) => (task ? personalFiles(name, folder, task.servers) : {});
    const program = this.#enter(env, ['sh', '-c', 'cd "$0" && exec "$@"'], [command, ...words], files);
    program.child.stdin?.end(); // some read it to its end before they begin
    return program;
  }

  /** Starts an agent as a person does, below a program that is the person at its terminal. */
  startAt(
    terminal: readonly string[],
    { name, interactive, env }: AgentProgram,
    { command }: Installed,
    servers: readonly ToolServer[],
  ): Program {
    const words = [...terminal, command, ...(interactive ?? [])];
    const files = (folder: string) => personalFiles(name, folder, servers);
    return this.#enter(env, ['sh', '-c', 'cd "$0" && exec "$@"'], words, files);
  }

  /**
   * Starts an agent in it as `start` does, but in a terminal, and as the first process of a process namespace: with the returned
   * program all that the agent started ends, wherever that has moved itself.
   */
  startInTerminal({ args, env }: Runnable, { command }: Installed): Program {
    const terminal = 'cd "$0" && exec script -qec "$*" /dev/null';
    return this.#enter(env, [...BOUNDS, 'sh', '-c', terminal], [command, ...args].map(quoted));
  }

  /** Asks a program for its help. Whatever that starts ends with the returned program. */
  askForHelp({ env }: Runnable, { command }: Installed): Program {
    const asked = this.#enter(env, [...BOUNDS, 'sh', '-c', 'cd "$0" && exec "$@"'], [command, '--help']);
    asked.child.stdin?.end();
    return asked;
  }

  /**
   * @param starter gets the folder that the agent works in and the words of its command line as further arguments.
   * @param files gives the files in its home, for that folder.
   */
  #enter(
    env: Runnable['env'],
    starter: readonly string[],
    command: readonly string[],
    files: (folder: string) => Readonly<Record<string, string>> = () => ({}),
  ): Program {
    const home = mkdtempSync(join(this.dir, 'home-'));
    const folder = join(home, 'project');
    mkdirSync(folder);
    for (const [path, text] of Object.entries(files(folder))) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    const ca = join(this.dir, 'ca.pem');
    return new Program('nsenter', ['-t', String(this.pid), '--net', '--mount', ...starter, folder, ...command], {
      PATH: `${NODE_FOLDER}:${process.env['PATH']}`,
      HOME: home,
      TERM: 'xterm-256color',
      NODE_EXTRA_CA_CERTS: ca,
      SSL_CERT_FILE: ca,
      ...env,
    });
  }

  /** Lets every model finish what it says. */
  end(): void {
    this.#models.say('end');
  }

  /** What was asked of the models: `HOST METHOD PATH SERVERNAME`. */
  requests(): string[] {
    return this.#models.lines.filter((line) => line.startsWith('request ')).map((line) => line.slice(8));
  }

  /** Ends whatever agents have left running, such as a daemon or a tool in a session of its own. */
  endGuests(): void {
    const own = new Set([this.pid, ...childrenOf(this.pid)]);
    for (const pid of inhabitants(this).filter((one) => !own.has(one)))
      try {
        process.kill(pid, 'SIGKILL');
      } catch {} // gone
  }

  /** It ends with its standard input, resolver and all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.endGuests();
    this.#models.child.stdin?.end();
    await this.#models.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** For a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
