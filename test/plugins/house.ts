/** Where real agents live in these tests: without any network but their model and a real collector, with homes of their own. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { installed, NODE_FOLDER } from '../agents/install.ts';
import { World } from '../agents/world.ts';
import { type Backends, startBackends } from '../backends/services.ts';
import { Program } from '../support/program.ts';
import type { Given, PluggedAgent, Setup } from './agents.ts';

const BUILD = new URL('../../build', import.meta.url).pathname;

const PATH = `${NODE_FOLDER}:${process.env['PATH']}`;

export interface Asked {
  readonly prompt: string;
  readonly hasPlugin: Given['hasPlugin'];
  /** Whether it sends its own traces. */
  readonly sends: boolean;
  /** Its home, which is not touched; a new one when it is not given. */
  readonly home?: string;
  /** What starts the agent, with its command line after it. */
  readonly starter?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A folder of programs that is looked in first. */
  readonly programs?: string;
}

export class House implements AsyncDisposable {
  readonly backends: Backends;
  readonly world: World;
  readonly #owned: AsyncDisposableStack;

  private constructor(backends: Backends, world: World, owned: AsyncDisposableStack) {
    this.backends = backends;
    this.world = world;
    this.#owned = owned;
  }

  static async open(): Promise<House> {
    await using stack = new AsyncDisposableStack();
    const backends = stack.use(await startBackends());
    const world = stack.use(await World.open('hosts'));
    const { port } = new URL(backends.otlp);
    const socket = join(world.dir, 'otlp.sock');
    stack.defer(await leadOut(socket, Number(port)));
    const relay = join(import.meta.dirname, 'fixtures/relay.mjs');
    const within = stack.use(new Program('nsenter', [...into(world), process.execPath, relay, port, socket]));
    await within.line(/^relaying/);
    return new House(backends, world, stack.move());
  }

  /** A new home, with the folder `project` to work in. */
  home(): string {
    const home = mkdtempSync(join(this.world.dir, 'home-'));
    mkdirSync(join(home, 'project'));
    return home;
  }

  /** @param files the text of each, by its path in the home. */
  furnish(home: string, files: Setup['files']): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
  }

  /** Asks an agent for one turn. */
  ask(
    agent: PluggedAgent,
    { prompt, hasPlugin, sends, home, starter = [], env = {}, programs = BUILD }: Asked,
  ): Program {
    const at = home ?? this.home();
    const otlp = sends ? this.backends.otlp : undefined;
    const { args, env: own, files } = agent.setup(prompt, { folder: join(at, 'project'), hasPlugin, otlp });
    if (home === undefined) this.furnish(at, files);
    const program = this.run(at, [...starter, installed(agent.program).command, ...args], {
      PATH: `${programs}:${PATH}`,
      ...own,
      ...env,
    });
    program.child.stdin?.end(); // some read it to its end before they begin
    return program;
  }

  /** Runs a command in the world, in the folder `project` of this home. */
  run(home: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    const ca = join(this.world.dir, 'ca.pem');
    const starter = ['sh', '-c', 'cd "$0" && exec "$@"', join(home, 'project')];
    return new Program('nsenter', [...into(this.world), ...starter, ...command], {
      ...{ PATH: `${BUILD}:${PATH}`, HOME: home, TERM: 'xterm-256color', SHELL: '/bin/sh' },
      ...{ NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: ca, ...tests() },
      ...env,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** What the tests' tauts and CI go by. */
function tests(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('TAUT_')));
}

function into({ pid }: World): string[] {
  return ['-t', String(pid), '--net', '--mount'];
}

/** Connects whoever connects to a socket with a port of this side. @returns what ends that. */
async function leadOut(socket: string, port: number): Promise<() => Promise<void>> {
  const server: Server = createServer((inside) => {
    const outside = connect(port, '127.0.0.1');
    inside.pipe(outside).pipe(inside);
    inside.on('error', () => outside.destroy());
    outside.on('error', () => inside.destroy());
  });
  await new Promise<void>((done) => server.listen(socket, done));
  return () => new Promise((done) => server.close(() => done()));
}
