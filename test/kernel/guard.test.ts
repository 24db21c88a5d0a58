/** Taut is killed, in every way that it can't know of, and nobody calls restore: its guard puts everything back. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import { ownerPid } from '../../src/actuator/owner.ts';
import { toolPriority } from '../../src/actuator/toolPriority.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import {
  agentOf,
  applicationOf,
  guardOf,
  guardsOf,
  isPutBack,
  isRunning,
  isTuned,
  ORIGINALS,
  TUNED,
} from '../support/guarded.ts';
import { Program, slacks, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const STARTS: [string, (sandbox: Sandbox, agent: Program) => Program | Promise<Program>][] = [
  ['watch', (sandbox) => sandbox.taut('watch', '--config', sandbox.config, '--optimize-timer-slack')],
  ['attach', (sandbox, agent) => sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack')],
  ['an application that uses the package', applicationOf],
  [
    'an application with a preload of its own',
    (sandbox, agent) => {
      writeFileSync(join(sandbox.dir, 'preload.cjs'), '');
      return applicationOf(sandbox, agent, { ...process.env, NODE_OPTIONS: '--require ./preload.cjs' });
    },
  ],
];

test.each(STARTS)('%s is killed', async (_name, start) => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await start(sandbox, agent);
  await isTuned(agent);
  const [guard = 0] = guardsOf(taut.pid);
  expect(isRunning(guard)).toBe(true);
  await taut.stop('SIGKILL');
  await isPutBack(sandbox, agent, guard);
});

test.each([
  [
    'run',
    (sandbox: Sandbox) => [
      'run',
      '--optimize-timer-slack',
      '--',
      'python3',
      join(FIXTURES, 'sleeper.py'),
      sandbox.mark,
    ],
  ],
  ['demo', () => ['demo', '--seconds', '5']],
] as const)('%s is killed, whose agent is its own child', async (_name, command) => {
  using sandbox = new Sandbox();
  await using taut = sandbox.taut(...command(sandbox));
  await taut.line(/^ready|with every thread tuned/, 90_000);
  using ledger = new Ledger(sandbox.stateDir);
  const agents = [...new Set(ledger.entries().map(({ pid }) => pid))];
  expect(agents).toHaveLength(1);
  const [agent = 0] = agents;
  using held = new ProcHandle(agent);
  const [guard = 0] = guardsOf(taut.pid);
  expect(isRunning(guard)).toBe(true);
  taut.child.kill('SIGKILL');
  await until('the guard has ended', () => !isRunning(guard));
  expect(ledger.entries()).toEqual([]);
  if (held.hasEnded()) return; // its input has ended with taut
  expect(slacks(agent)).not.toContain(1);
  process.kill(agent, 'SIGKILL');
});

test("the demo and its sample agent are killed in the middle of the agent's build, which ends by itself", async () => {
  using sandbox = new Sandbox();
  await using taut = sandbox.taut('demo', '--seconds', '1');
  await taut.line(/beside a build/, 90_000);
  using ledger = new Ledger(sandbox.stateDir);
  const runs = (pid: number, what: string) => commandOf(pid).some((word) => word.includes(what));
  const isLowered = () => ledger.entries().some(({ knob }) => knob === toolPriority.id);
  await until('the build is at another priority', isLowered);
  const [agent = 0] = childrenOf(taut.pid).filter((pid) => runs(pid, 'sample-agent'));
  const build = childrenOf(agent).filter((pid) => runs(pid, 'gzip'));
  expect(build.length).toBeGreaterThan(0);
  using end = new DisposableStack();
  end.defer(() => {
    for (const pid of build.filter((one) => runs(one, 'gzip'))) process.kill(pid, 'SIGKILL');
  });
  const [guard = 0] = guardsOf(taut.pid);
  process.kill(agent, 'SIGKILL');
  taut.child.kill('SIGKILL');
  await until('the guard has ended', () => !isRunning(guard));
  expect(ledger.entries()).toEqual([]);
  await until('the build has ended', () => build.every((pid) => !isRunning(pid) || !runs(pid, 'gzip')));
});

test('the restore that it runs is killed too, after each thread that it has written', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const options = ['--config', sandbox.config, '--optimize-timer-slack'];
  await using taut = sandbox.tautWith({ TAUT_FAULT: 'restore-written' }, 'watch', ...options);
  await taut.line(/watching/);
  const guard = await guardOf(sandbox);
  await taut.stop('SIGKILL');
  await isPutBack(sandbox, agent, guard);
});

test('everything of its session is killed, and the guard is sent what ends others', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const command = sandbox.watchCommand('--optimize-timer-slack');
  await using shell = new Program('setsid', ['sh', '-c', '"$@"; true', 'sh', ...command]);
  await isTuned(agent);
  const guard = await guardOf(sandbox);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGPIPE', 'SIGUSR1', 'SIGALRM', 'SIGTSTP'] as const)
    process.kill(guard, signal);
  using held = new ProcHandle(guard);
  expect(held.stat()).toMatchObject({ state: 'S', ppid: 1 });
  const session = (pid: number | string) =>
    readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ')[3];
  expect(session(guard)).not.toBe(session(shell.pid));
  process.kill(-shell.pid, 'SIGKILL');
  await isPutBack(sandbox, agent, guard);
});

test('the guard is killed: another stands in, and status shows it', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const first = await guardOf(sandbox);
  process.kill(first, 'SIGKILL');
  await taut.line(/the guard \(\d+\) is gone: started another/);
  const second = await guardOf(sandbox);
  expect(second).not.toBe(first);
  await taut.stop('SIGKILL');
  await isPutBack(sandbox, agent, second);
});

test('taut ends well: the guard goes with it, and has run nothing', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const guard = await guardOf(sandbox);
  const output = join(sandbox.dir, 'strace');
  await using strace = new Program('strace', ['-f', '-o', output, '-p', String(guard)]);
  await strace.line(/attached/);
  expect(await taut.stop()).toBe(0);
  await strace.ended;
  const calls = readFileSync(output, 'utf8');
  expect(calls).toContain('exited with 0');
  expect(calls).not.toMatch(/execve|fork|clone/);
  await isPutBack(sandbox, agent, guard);
});

test('of two that share a ledger one is killed: what the other tuned stays so', async () => {
  using sandbox = new Sandbox();
  const command = ['run', '--optimize-timer-slack', '--', 'python3', join(FIXTURES, 'sleeper.py'), sandbox.mark];
  await using first = sandbox.taut(...command);
  await using second = sandbox.taut(...command);
  await Promise.all([first.line(/^ready/), second.line(/^ready/)]);
  using ledger = new Ledger(sandbox.stateDir);
  const owners = () => ledger.entries().map(({ owner }) => ownerPid(owner));
  await until('both have tuned', () => [first, second].every(({ pid }) => owners().includes(pid)));
  const agents = new Map(ledger.entries().map(({ owner, pid }) => [ownerPid(owner), pid]));
  const kept = agents.get(second.pid) ?? 0;
  const [guard = 0] = guardsOf(first.pid);
  first.child.kill('SIGKILL');
  await until('the guard has ended', () => !isRunning(guard));
  expect(slacks(kept)).toEqual([1]);
  expect(new Set(owners())).toEqual(new Set([second.pid]));
  await second.stop();
  expect(ledger.entries()).toEqual([]);
});

test.each([
  ['process.exit', 'exit', 7],
  ['an error that nobody catches', 'throw', 1],
])('an application that uses the package ends by %s: it puts everything back itself', async (_how, word, code) => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using application = await applicationOf(sandbox, agent);
  const [guard = 0] = guardsOf(application.pid);
  application.say(word);
  expect(await application.ended).toBe(code);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
  await isPutBack(sandbox, agent, guard);
});

test('an application becomes another program, under the same process id: it can not put anything back any more', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using application = await applicationOf(sandbox, agent);
  const [guard = 0] = guardsOf(application.pid);
  application.say('become another program');
  await isPutBack(sandbox, agent, guard);
  expect(isRunning(application.pid)).toBe(true);
});

test('an application disposes of its watcher: no guard stays, and nothing waits for its end', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using application = await applicationOf(sandbox, agent);
  const [guard = 0] = guardsOf(application.pid);
  application.say('dispose');
  await application.line(/^disposed, listeners 0$/);
  await isPutBack(sandbox, agent, guard);
  expect(isRunning(application.pid)).toBe(true);
});

test('--no-guard: there is none, and status says so', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
  expect((await sandbox.json<StatusDocument>('status')).guard).toBeNull();
  expect(guardsOf(taut.pid)).toEqual([]);
  await taut.stop('SIGKILL');
  expect(slacks(agent.pid)).toEqual(TUNED);
  await sandbox.json('restore');
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
});

test('the state directory is gone: the guard ends, and makes none', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const guard = await guardOf(sandbox);
  rmSync(sandbox.stateDir, { recursive: true });
  await taut.stop('SIGKILL');
  await until('the guard has ended', () => !isRunning(guard));
  expect(readdirSync(sandbox.dir)).not.toContain('state');
  expect(isRunning(agent.pid)).toBe(true);
});

test('what the guard runs opens no debugger at SIGUSR1', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await isTuned(agent);
  const guard = await guardOf(sandbox);
  using busy = new Ledger(sandbox.stateDir);
  const db = new DatabaseSync(busy.path);
  db.exec('BEGIN IMMEDIATE'); // the restore waits for it
  await taut.stop('SIGKILL');
  let command: string[] = [];
  await until('the guard runs a restore', () => {
    command =
      childrenOf(guard)
        .map(commandOf)
        .find((words) => words.some((word) => word.endsWith('guardRestore.cjs'))) ?? [];
    return command.length > 0;
  });
  expect(command).toContain('--disable-sigusr1');
  db.close();
  await isPutBack(sandbox, agent, guard);
});

/** Nothing for a process that has ended. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
}
