/** The sample agent, its server and its build, as real processes that are ended by process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { holdPath, packageRoot } from '../../native.ts';

export interface Build {
  /** Ids of its long-lived processes, one a job. What they start lives for a moment. */
  readonly pids: readonly number[];
  /** How many files it has compressed until now, all jobs together. */
  done(): number;
}

export interface Sample extends AsyncDisposable {
  /** Process id of the agent. */
  readonly pid: number;
  /**
   * Has the agent start a build, which runs until the agent ends. Resolves when it has done its first work.
   * @param jobs how many at a time. @throws Error when it does nothing, as on a host without gzip
   */
  build(jobs: number): Promise<Build>;
}

/** How long the first file may take, on a busy host. */
const FIRST_MS = 15_000;
/** How long what is left of the build may take to end after the agent. */
const END_MS = 2_000;

export async function startSample(): Promise<Sample> {
  await using stack = new AsyncDisposableStack();
  const server = start('sample-server.mjs', []);
  stack.defer(() => stop(server));
  const port = await lineOf(server);
  const agent = start('sample-agent.mjs', [port, holdPath()]);
  const compressed = agent.stdio[3] as Readable;
  let done = 0;
  compressed.on('data', (newlines: Buffer) => {
    done += newlines.length;
  });
  stack.defer(() => released(compressed));
  stack.defer(() => stop(agent));
  await lineOf(agent);
  const { pid } = agent;
  if (pid === undefined) throw new Error('the sample agent did not start');
  const owned = stack.move();
  return {
    pid,
    async build(jobs) {
      agent.stdin?.write(`build ${jobs}\n`);
      const [, ...pids] = (await lineOf(agent)).split(' ');
      const deadline = performance.now() + FIRST_MS;
      while (done === 0) {
        if (performance.now() > deadline) throw new Error('the build of the sample agent does nothing: it needs gzip');
        await setTimeout(10);
      }
      return { pids: pids.map(Number), done: () => done };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function start(script: string, args: string[]): ChildProcess {
  const path = join(packageRoot(), 'src/cli/demo', script);
  return spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
}

/** The next line that it says. */
async function lineOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no standard output');
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the sample process ended early')));
  ended.catch(() => {}); // the process also ends after the race, when nobody waits for this promise
  using lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return line;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Waits until nobody holds the other end any more; when that takes too long, whoever writes to it ends. */
async function released(stream: Readable): Promise<void> {
  if (!stream.readableEnded) await Promise.race([once(stream, 'close'), setTimeout(END_MS, undefined, { ref: false })]);
  stream.destroy();
}
