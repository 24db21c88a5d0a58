/** What the kernel tells of an exec, and what follows where that is not all, or not true any more. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Converger } from '../../src/actuator/converge.ts';
import { Ledger } from '../../src/actuator/ledger.ts';
import { restoreEntries } from '../../src/actuator/restore.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import type { KernelEvent } from '../../src/native.ts';
import { nowTicks } from '../../src/proc/clock.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { Program, slacks, threadIds, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

/** TAUT_CMDLINE of `native/include/taut.h`. */
const MOST = 2_048;
const SHOW_SELF = ['-c', 'cat /proc/$$/cmdline; :'];
const OWN_BYTES = ['sh', ...SHOW_SELF].join(' ').length + 1;

test.each([
  ['no arguments of its own', []],
  ['empty ones', ['', '', 'x', '']],
  ['letters of more than one byte', ['ä', '漢字', '\u{1f980}']],
  ['as many bytes as fit', ['x'.repeat(MOST - OWN_BYTES - 1)]],
  ['one more', ['x'.repeat(MOST - OWN_BYTES)]],
  ['more than a page', ['x'.repeat(5_000)]],
  ['very many', Array.from({ length: 10_000 }, (_, i) => String(i))],
])('an exec is told with its command line, if that is not too long: %s', async (_, args) => {
  using tracer = new Tracer();
  const events: KernelEvent[] = [];
  tracer.listen((batch) => events.push(...batch));
  const { pid, stdout } = spawnSync('sh', [...SHOW_SELF, ...args]);
  const exec = () => events.find((event) => event.kind === 'exec' && event.pid === pid);
  await until('it is told', () => exec() !== undefined);
  expect(stdout.length).toBeGreaterThan(0);
  expect(exec()?.cmdline).toBe(stdout.length <= MOST ? stdout.toString('utf8') : undefined);
});

test.each([10, MOST, 5_000, 50_000])('an agent shows by an argument after %d bytes', async (bytes) => {
  using sandbox = new Sandbox();
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  await using agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), 'x'.repeat(bytes), sandbox.mark]);
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
});

test('who runs something else by the time it is looked at is judged by that', async () => {
  using sandbox = new Sandbox();
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  const programs = Array.from({ length: 50 }, () => new Program('sh', ['-c', 'exec sleep 1000', sandbox.mark]));
  try {
    await using agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), sandbox.mark]);
    await until('who came last is tuned', () => slacks(agent.pid)[0] === 1);
    const { agents } = await sandbox.json<StatusDocument>('status');
    expect(agents.map(({ pid }) => pid)).toEqual([agent.pid]);
    expect(programs.flatMap(({ pid }) => slacks(pid))).toEqual(programs.map(() => 50_000));
  } finally {
    for (const program of programs) await program[Symbol.asyncDispose]();
  }
});

describe('a thread that is not the leader executes a program, and gets the id of the leader', () => {
  const workers = compiled('workers');
  const LEADER = 50_000;
  const WORKER = 20_000;

  /** Its leader, its first worker and its second have timer slacks of their own. */
  const agentOf = async (sandbox: Sandbox): Promise<Program> => {
    const agent = new Program(workers, [LEADER, WORKER, 30_000].map(String).concat(sandbox.mark));
    await agent.line(/^ready/);
    return agent;
  };
  /** A taut answers when it has read back what it wrote: until then an exec could come between. */
  const isTuned = async (sandbox: Sandbox, agent: Program, threads = 3) => {
    await until('it is tuned', () => slacks(agent.pid).join() === Array(threads).fill(1).join());
    await until(
      'a taut answers',
      async () => (await sandbox.json<StatusDocument>('status')).agents[0]?.threads.total === threads,
    );
  };

  /** Has worker 1 execute `sleep`, and waits until only that is there. */
  const sleepInstead = async (agent: Program) => {
    agent.say('exec 1 sleep 1000');
    await until('sleep runs', () => threadIds(agent.pid).length === 1 && commOf(agent) === 'sleep');
  };
  const commOf = ({ pid }: Program) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  const entries = async (sandbox: Sandbox) => (await sandbox.json<StatusDocument>('status')).ledger.entries;

  test('it stays a process that the operator named, and is put back to its own value', async () => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    await using taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack');
    await isTuned(sandbox, agent);
    await sleepInstead(agent);
    await until('the other threads are off the record', async () => (await entries(sandbox)) === 1);
    const { agents } = await sandbox.json<StatusDocument>('status');
    expect(agents[0]).toMatchObject({ pid: agent.pid, target: 1, threads: { total: 1, tuned: 1 } });
    expect(slacks(agent.pid)).toEqual([1]);
    expect(await taut.stop()).toBe(0);
    expect(slacks(agent.pid)).toEqual([WORKER]);
  });

  test('the new program is an agent again, and its own threads are tuned and put back, twice', async () => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    await using taut = await sandbox.watch('--optimize-timer-slack');
    await isTuned(sandbox, agent);
    for (let times = 2; times <= 3; times++) {
      agent.say(`exec 1 ${workers} 0 0 ${sandbox.mark}`);
      await until('it runs anew', () => agent.lines.filter((line) => line === 'ready').length === times);
      await isTuned(sandbox, agent, 2);
      await until('each thread is on record once', async () => (await entries(sandbox)) === 2);
    }
    expect(await taut.stop()).toBe(0);
    expect(slacks(agent.pid)).toEqual([WORKER, WORKER]); // a thread is born with its maker's value
  });

  test('the new program is no agent: it is let go at once', async () => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    await using _taut = await sandbox.watch('--optimize-timer-slack');
    await isTuned(sandbox, agent);
    await sleepInstead(agent);
    await until('it is put back', () => slacks(agent.pid)[0] === WORKER);
    await until('nothing is on record', async () => (await entries(sandbox)) === 0);
  });

  test('the leader had ended long before', async () => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    await using taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack');
    await isTuned(sandbox, agent);
    await tell(agent, 'leave');
    await until('the leader is off the record', async () => (await entries(sandbox)) === 2);
    await sleepInstead(agent);
    await until('the others are off the record', async () => (await entries(sandbox)) === 1);
    expect(await taut.stop()).toBe(0);
    expect(slacks(agent.pid)).toEqual([WORKER]);
  });

  test('taut is killed after it: restore finds the thread', async () => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    await using taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack', '--no-guard');
    await isTuned(sandbox, agent);
    await sleepInstead(agent);
    await until('the other threads are off the record', async () => (await entries(sandbox)) === 1);
    await taut.stop('SIGKILL');
    expect(slacks(agent.pid)).toEqual([1]);
    await using restore = sandbox.taut('restore');
    expect(await restore.ended).toBe(0);
    expect(slacks(agent.pid)).toEqual([WORKER]);
  });

  test('taut was killed before it: restore finds the thread by its process', async () => {
    using sandbox = new Sandbox();
    await using agent = new Program(workers, ['1', String(WORKER), sandbox.mark]);
    await agent.line(/^ready/);
    await using taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack', '--no-guard');
    await isTuned(sandbox, agent, 2);
    await until('just the worker is on record', async () => (await entries(sandbox)) === 1);
    await taut.stop('SIGKILL');
    await sleepInstead(agent);
    expect(slacks(agent.pid)).toEqual([1]);
    await using restore = sandbox.taut('restore');
    expect(await restore.ended).toBe(0);
    expect(slacks(agent.pid)).toEqual([WORKER]);
    expect(await entries(sandbox)).toBe(0);
  });

  test.each([
    ['before its event', true],
    ['and its event is lost', false],
  ])('the threads are listed %s', async (_, isTold) => {
    using sandbox = new Sandbox();
    await using agent = await agentOf(sandbox);
    using ledger = new Ledger(sandbox.stateDir);
    using process = new ProcHandle(agent.pid);
    const { startTicks: processStartTicks } = process.stat();
    await until('it is older than taut knows it', () => nowTicks() > processStartTicks);
    const order = {
      pid: agent.pid,
      processStartTicks,
      target: 1n,
      agent: 'a',
      rule: 'r',
      reason: 'test',
      operation: '0',
    };
    const converger = new Converger(timerSlack, ledger, process, order, undefined);
    const threads = threadIds(agent.pid);
    const tid = threads[slacks(agent.pid).indexOf(WORKER)] ?? 0;
    converger.run();
    await sleepInstead(agent);
    if (isTold) converger.run();
    converger.forget(threads.filter((id) => id !== tid));
    if (isTold) {
      ledger.carryOver({ pid: agent.pid, processStartTicks, tid });
      converger.execed(tid);
    }
    for (let times = 0; times < 2; times++) converger.run();
    expect([...converger.threads.keys()]).toEqual([agent.pid]);
    expect(ledger.entries()).toMatchObject([
      { tid: agent.pid, startTicks: processStartTicks, original: BigInt(WORKER) },
    ]);
    restoreEntries(ledger, [timerSlack], ledger.entries());
    expect(slacks(agent.pid)).toEqual([WORKER]);
  });
});
