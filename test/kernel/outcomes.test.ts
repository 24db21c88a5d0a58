/** One row each of the table of threads in docs/outcomes.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Converger } from '../../src/actuator/converge.ts';
import { Ledger } from '../../src/actuator/ledger.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { ask, tell } from '../support/conversation.ts';
import { Program, slacks, threadIds, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

/** The actuator alone on one process. @returns the outcome of each of its threads, by id. */
function outcomes(sandbox: Sandbox, pid: number, target = 1n): Record<number, string> {
  using ledger = new Ledger(sandbox.stateDir);
  using handle = new ProcHandle(pid);
  const processStartTicks = handle.stat().startTicks;
  const order = { pid, processStartTicks, target, agent: 'a', rule: 'r', reason: 'test', operation: '0' };
  const converger = new Converger(timerSlack, ledger, handle, order, undefined);
  converger.run();
  return Object.fromEntries([...converger.threads].map(([tid, { outcome }]) => [tid, outcome]));
}

async function chrt(tid: number, policy: string, priority = '0'): Promise<void> {
  await using program = new Program('chrt', [policy, '-p', priority, String(tid)]);
  expect(await program.ended).toBe(0);
}

test('an original other than 50,000, and nice > 0: tuned, and put back to what it was', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'slack 123456');
  await using renice = new Program('renice', ['-n', '10', '-p', String(agent.pid)]);
  expect(await renice.ended).toBe(0);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(slacks(agent.pid)).toEqual([1]);
  await taut.stop();
  expect(slacks(agent.pid)).toEqual([123_456]);
});

test('a real-time thread is exempt, and tuned when it returns to normal scheduling', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  const tid = threadIds(agent.pid)[1] ?? 0;
  await chrt(tid, '--fifo', '10');
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const counts = async () => (await sandbox.json<StatusDocument>('status')).agents[0]?.threads;
  expect(await counts()).toMatchObject({ total: 2, tuned: 1, exempt: 1 });
  await chrt(tid, '--other');
  await until('it is tuned', () => slacks(agent.pid).every((ns) => ns === 1));
  expect(await counts()).toMatchObject({ tuned: 2, exempt: 0 });
  await taut.stop();
  expect(slacks(agent.pid)).toEqual([50_000, 50_000]);
});

test('a tuned thread that becomes real-time is no drift, and is tuned again afterwards', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await chrt(agent.pid, '--rr', '5');
  await until(
    'it is exempt',
    async () => (await sandbox.json<StatusDocument>('status')).agents[0]?.threads.exempt === 1,
  );
  await chrt(agent.pid, '--other');
  expect(slacks(agent.pid)).toEqual([50_000]); // the kernel's reset
  await until('it is tuned again', () => slacks(agent.pid)[0] === 1);
  await taut.stop();
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(taut.errors.filter((line) => line.includes('somebody else'))).toEqual([]);
});

test('a zombie is vanished, a kernel thread exempt: neither is written', async () => {
  using sandbox = new Sandbox();
  await using program = new Program('python3', [
    '-c',
    'import os,sys\nfor line in sys.stdin:\n p=os.fork()\n if p==0: os._exit(0)\n print(p,flush=True)',
  ]);
  const zombie = Number(await ask(program, 'go'));
  await until('it is a zombie', () => readFileSync(`/proc/${zombie}/stat`, 'latin1').includes(') Z '));
  expect(outcomes(sandbox, zombie)).toEqual({});
  expect(outcomes(sandbox, 2)).toEqual({ 2: 'exempt' }); // kthreadd
});

test('a thread that has less than the target is already there', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'slack 500');
  expect(outcomes(sandbox, agent.pid, 10_000n)).toEqual({ [agent.pid]: 'already' });
  expect(slacks(agent.pid)).toEqual([500]);
});

test('an agent of a container with its own user and PID namespaces is tuned and put back from the host', async () => {
  using sandbox = new Sandbox();
  const inside = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const fixture = join(import.meta.dirname, 'fixtures/sleeper.py');
  await using container = new Program('unshare', [...inside, 'python3', fixture, sandbox.mark]);
  await container.line(/^ready/);
  const agent = Number(readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'latin1').trim());
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(slacks(agent)).toEqual([1]);
  await taut.stop();
  expect(slacks(agent)).toEqual([50_000]);
});

test("somebody else's write is reported once, with both values, and not overwritten", async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await tell(agent, 'slack 4242');
  await taut.line(/was set to 4242 ns by somebody else/);
  await until(
    'status shows it',
    async () => (await sandbox.json<StatusDocument>('status')).agents[0]?.threads.drifted === 1,
  );
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([4242]);
  expect(taut.errors.filter((line) => line.includes('somebody else'))).toHaveLength(1);
  const logs = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  expect(logs.match(/"taut.drift"/g)?.length).toBeGreaterThan(0);
  expect(logs).toMatch(/"taut.drift.expected","value":\{"intValue":1\}/);
  expect(logs).toMatch(/"taut.drift.found","value":\{"intValue":4242\}/);
});

test('with tuning on, only threads of matched agents and of their children are opened for writing', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.node('agent.mjs');
  await agent.line(/^ready/);
  const found = threadIds(agent.pid).length;
  await using stranger = await sleeper(new Sandbox());
  const trace = join(sandbox.dir, 'strace');
  await using taut = await sandbox.traced(trace, 'watch', '--config', sandbox.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  await tell(agent, 'tool');
  const tool = Number((await agent.line(/^tool/)).split(' ')[1]);
  await until('the tool is put back', () => slacks(tool)[0] === 50_000);
  await tell(agent, 'worker');
  await until('the worker is tuned', () => slacks(agent.pid).every((ns) => ns === 1));
  const allowed = new Set([...threadIds(agent.pid), tool]);
  await taut.stop();
  const directories = new Map<string, number>();
  let writes = 0;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const opened = /"\/proc\/(\d+)", O_RDONLY.*= (\d+)$/.exec(line);
    if (opened) directories.set(opened[2] ?? '', Number(opened[1]));
    const written = /openat\((\d+), "timerslack_ns", O_WRONLY/.exec(line);
    if (!written) {
      expect(line).not.toMatch(/timerslack_ns.*O_(WRONLY|RDWR)/);
      continue;
    }
    writes++;
    expect(allowed).toContain(directories.get(written[1] ?? ''));
  }
  expect(writes).toBeGreaterThanOrEqual(2 * found); // there and back
  expect(slacks(stranger.pid)).toEqual([50_000]);
});
