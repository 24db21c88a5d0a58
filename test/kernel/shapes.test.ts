/** The built-in rules against the shapes of real agents and of their look-alikes, live and at the start. */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { type Program, until } from '../support/program.ts';
import { attachSpans } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { kill } from './endings/processes.ts';
import { agents, lookAlikes, type Shape, Shapes, wrapped } from './shapes.ts';

const WITHIN_MS = 50;
const PAUSE_MS = 150;

const tree = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(tree)];

class Running implements AsyncDisposable {
  readonly shape: Shape;
  readonly program: Program;

  constructor(shape: Shape) {
    this.shape = shape;
    this.program = shape.start();
  }

  /** Whether exactly one of its processes is an agent, under the right name. */
  isFoundAmong(found: ReadonlyMap<number, string>): boolean {
    const { name, isWrapper = false } = this.shape;
    const mine = tree(this.program.pid).filter((pid) => found.get(pid) === name);
    return mine.length === 1 && !(isWrapper && mine.includes(this.program.pid));
  }

  isAmong(found: ReadonlyMap<number, string>): boolean {
    return tree(this.program.pid).some((pid) => found.has(pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of tree(this.program.pid).slice(1)) kill(pid);
    await this.program[Symbol.asyncDispose]();
  }
}

test('each known agent is found, live and at the start, however it was started; its look-alikes are not', async () => {
  using shapes = new Shapes();
  using sandbox = new Sandbox();
  await using stack = new AsyncDisposableStack();
  const found = async () => {
    const { agents: present } = await sandbox.json<StatusDocument>('status');
    return new Map(present.map(({ pid, name }) => [pid, name]));
  };
  const missing = async (all: readonly Running[]) => {
    const now = await found();
    return all
      .filter((one) => !one.isFoundAmong(now))
      .map(({ shape, program }) => [shape.name, program.child.spawnargs]);
  };
  const taut = stack.use(sandbox.taut('watch'));
  await taut.line(/watching/);
  // One after the other, as people start them.
  const begin = async (all: readonly Shape[]) => {
    const running: Running[] = [];
    for (const shape of all) {
      running.push(stack.use(new Running(shape)));
      await setTimeout(PAUSE_MS);
    }
    return running;
  };
  const others = await begin(lookAlikes(shapes));
  const all = await begin([...agents(shapes), ...wrapped(shapes)]);
  await until('all are found live', async () => (await missing(all)).length === 0, 30_000).catch(() => {});
  expect(await missing(all)).toEqual([]);
  const taken = async () => {
    const now = await found();
    return others.filter((one) => one.isAmong(now)).map(({ shape }) => shape.name);
  };
  expect(await taken()).toEqual([]);
  await taut.stop();

  // From the kernel's time stamp of the exec (or rename) that made it an agent to the end of its attach span.
  const times = attachSpans(sandbox.stateDir)
    .map(({ tookMs }) => tookMs)
    .toSorted((a, b) => a - b);
  const within = times.filter((ms) => ms <= WITHIN_MS).length;
  process.stderr.write(
    `${within} of ${times.length} were attached within ${WITHIN_MS} ms; median ${times[times.length >> 1]?.toFixed(1)} ms, most ${times.at(-1)?.toFixed(1)} ms\n`,
  );
  expect(within).toBeGreaterThan(times.length / 2);

  const again = stack.use(sandbox.taut('watch'));
  await again.line(/watching/);
  expect(await missing(all)).toEqual([]);
  expect(await taken()).toEqual([]);
});
