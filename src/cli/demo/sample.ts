/** The sample agent and its server, as real processes that are ended by process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../native.ts';

export interface Sample extends AsyncDisposable {
  /** Process id of the agent. */
  readonly pid: number;
}

export async function startSample(): Promise<Sample> {
  await using stack = new AsyncDisposableStack();
  const server = start('sample-server.mjs', []);
  stack.defer(() => stop(server));
  const port = await firstLine(server);
  const agent = start('sample-agent.mjs', [port]);
  stack.defer(() => stop(agent));
  await firstLine(agent);
  if (agent.pid === undefined) throw new Error('the sample agent did not start');
  const owned = stack.move();
  return { pid: agent.pid, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function start(script: string, args: string[]): ChildProcess {
  const path = join(packageRoot(), 'src/cli/demo', script);
  return spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no standard output');
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the sample process ended early')));
  ended.catch(() => {}); // the process also ends after the race, when nobody waits for this promise
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [string];
  return line;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
