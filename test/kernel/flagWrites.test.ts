/** A flag that is edited while many agents run: by a trace of system calls, just those threads are written about which it says something else. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlagdCore } from '@openfeature/flagd-core';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { compiled } from '../support/compiled.ts';
import { Program, slacks, threadIds, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { crewIn, threadsWith } from './endings/crew.ts';

const crew = compiled('crew');
const KEY = 'taut.optimize-timer-slack';
const ORIGINAL = 50_000;
const NAMES = ['first', 'second'] as const;
const EACH = 100;
const THREADS = 2;

interface Agent {
  readonly pid: number;
  readonly name: string;
  readonly tids: readonly number[];
}

/** Agents of a name: they end with the test, however it ends. */
async function agentsNamed(stack: AsyncDisposableStack, mark: string, name: string): Promise<Agent[]> {
  const program = stack.use(
    new Program(crew, [String(EACH), String(THREADS), String(process.pid), `@${mark}-${name}`]),
  );
  await program.line(/^ready/);
  const pids = crewIn(program.lines);
  stack.defer(() => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });
  return pids.map((pid) => ({ pid, name, tids: threadIds(pid) }));
}

/** What taut has written since the last look, by the trace: the thread's id and the value; and every other call that sets something. */
class Trace {
  readonly #path: string;
  #read = 0;
  readonly writes: [tid: number, value: number][] = [];
  readonly others: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  look(): void {
    const whole = readFileSync(this.#path, 'latin1');
    const lines = whole.slice(this.#read, whole.lastIndexOf('\n') + 1);
    this.#read += lines.length;
    for (const line of lines.split('\n')) {
      const [, tid, value] = /write\(\d+<\/proc\/(\d+)\/timerslack_ns>, "(\d+)"/.exec(line) ?? [];
      if (tid !== undefined) this.writes.push([Number(tid), Number(value)]);
      // 0 is the thread that calls: taut sets its own canary's slice.
      else if (/ (?:sched_setattr|sched_setscheduler)\((?!0,)| setpriority\(/.test(line)) this.others.push(line);
    }
  }

  forget(): void {
    this.writes.length = 0;
  }
}

const flag = (on: number, other: number, defaultVariant: string, targeting?: object, end?: string) =>
  JSON.stringify({
    flags: {
      [KEY]: {
        state: 'ENABLED',
        variants: {
          ...{ on: `${on}ns`, other: `${other}ns`, off: 'off' },
          ...(end !== undefined && { ending: { value: `${on}ns`, until: end } }),
        },
        defaultVariant,
        ...(targeting && { targeting }),
      },
    },
  });

test(`of ${NAMES.length * EACH} agents just those are written about which an edited flag says something else, thread by thread`, async () => {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(new Sandbox());
  sandbox.useRules(NAMES.map((name) => ({ id: name, name, anyArg: [`${sandbox.mark}-${name}`] })));
  const [file, traced] = [join(sandbox.dir, 'flags.json'), join(sandbox.dir, 'trace')];
  const on = 10_000 + Math.floor(Math.random() * 15_000);
  const other = on + 15_000;
  let text = flag(on, other, 'off');
  const write = (next: string) => {
    text = next;
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write(text);
  const agents: Agent[] = [];
  for (const name of NAMES) agents.push(...(await agentsNamed(stack, sandbox.mark, name)));
  const calls = ['-e', 'trace=write,sched_setattr,sched_setscheduler,setpriority'];
  const taut = stack.use(
    new Program('strace', [
      ...['-D', '-f', '-qq', '-y', '--seccomp-bpf', '-o', traced, ...calls],
      ...sandbox.watchCommand('--flags', file),
    ]),
  );
  await taut.line(/watching/);
  const status = () => sandbox.json<StatusDocument>('status');
  await until('all are there', async () => (await status()).agents.length === agents.length);
  const trace = new Trace(traced);
  trace.look();
  expect(trace.writes, 'nobody has said that anything is tuned').toEqual([]);

  /** What flagd's own engine says of each. */
  const wanted = () => {
    const engine = new FlagdCore();
    engine.setConfigurations(text);
    return agents.map(({ pid, name }) => {
      const said = engine.resolveStringEvaluation(KEY, 'none', { targetingKey: 'x', pid, agent: name }).value;
      return said === 'off' ? ORIGINAL : Number.parseInt(said, 10);
    });
  };
  let before = agents.map(() => ORIGINAL);
  const times: string[] = [];
  /** All threads are as is wanted, and those were written for which that is something else than before. */
  const follows = async (what: string, want: readonly number[], startMs: number) => {
    await until(what, () => agents.every(({ pid }, i) => slacks(pid).every((ns) => ns === want[i])));
    times.push(`${what} ${Math.round(performance.now() - startMs)} ms`);
    await status(); // it has done all that it had begun
    trace.look();
    const meant = agents.flatMap(({ tids }, i) => (want[i] === before[i] ? [] : tids));
    expect(new Set(trace.writes.map(([tid]) => tid)), what).toEqual(new Set(meant));
    // From one value to another a thread gets what it had in between.
    const most = agents.every((_, i) => want[i] === ORIGINAL || before[i] === ORIGINAL) ? 1 : 2;
    expect(trace.writes.length, what).toBeLessThanOrEqual(most * meant.length);
    const tuned = want.filter((ns) => ns !== ORIGINAL).length;
    expect([...threadsWith(on), ...threadsWith(other)], 'of all threads of this host').toHaveLength(tuned * THREADS);
    trace.forget();
    before = [...want];
  };
  const named = { if: [{ '==': [{ var: 'agent' }, 'first'] }, 'on', 'off'] };
  const share = (percent: number) => ({
    fractional: [{ cat: ['agent ', { var: 'pid' }] }, ['on', percent], ['off', 100 - percent]],
  });
  const edits: readonly (readonly [string, string])[] = [
    ['on', flag(on, other, 'on')],
    ['the same again', `${flag(on, other, 'on')}\n`],
    ['by agent', flag(on, other, 'off', named)],
    ['25%', flag(on, other, 'off', share(25))],
    ['60%', flag(on, other, 'off', share(60))],
    ['another value', flag(on, other, 'other')],
    ['broken', '{'],
    ['off', flag(on, other, 'off')],
  ];
  for (const [what, next] of edits) {
    const [startMs, last] = [performance.now(), text];
    write(next);
    if (what === 'broken') {
      await taut.line(/no JSON.*agents keep for a time/);
      text = last;
    }
    await follows(what, wanted(), startMs);
  }
  const ending = (ms: number) => write(flag(on, other, 'ending', undefined, new Date(ms).toISOString()));
  ending(Date.now() + 3_600_000);
  const all = agents.map(() => on);
  await follows('until a time', all, performance.now());
  const endMs = Date.now() + 1_500;
  ending(endMs);
  const none = agents.map(() => ORIGINAL);
  await follows('that is over', none, performance.now() + endMs - Date.now());
  console.info(`${agents.length} agents, traced, from the edit to every thread read: ${times.join(', ')}`);
  expect(trace.others, 'no other setting is touched').toEqual([]);
  expect(await taut.stop('SIGTERM')).toBe(0);
});
