/** The guard itself: what it is, what it takes, and what it does where things are against it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { guardPath } from '../../src/native.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { agentOf, guardOf, guardsOf, isPutBack, isRunning, isTuned, ORIGINALS } from '../support/guarded.ts';
import { Program, slacks, until } from '../support/program.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

test('it may open no more than 16 files, until that is raised', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const guard = await guardOf(sandbox);
  await using limit = new Program('prlimit', ['--pid', String(guard), '--nofile=16:']);
  expect(await limit.ended).toBe(0);
  await taut.stop('SIGKILL');
  await isPutBack(sandbox, agent, guard);
});

test('a guard is small, and holds nothing of its taut', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const guard = await guardOf(sandbox);
  const rss = Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${guard}/smaps_rollup`, 'latin1'))?.[1]);
  expect(rss).toBeGreaterThan(0);
  expect(rss).toBeLessThan(1024);
  expect(readFileSync(`/proc/${guard}/comm`, 'latin1')).toBe('taut-guard\n');
  expect(guardsOf(taut.pid)).toEqual([guard]);
  using held = new ProcHandle(guard);
  expect(held.link('cwd')).toBe('/');
  expect(readdirSync(`/proc/${guard}/fd`).map((fd) => held.link(`fd/${fd}`)?.replace(/:.*/, ''))).toEqual([
    'pipe',
    '/dev/null',
    '/dev/null',
    'anon_inode',
  ]);
});

test('nothing may be tuned: there is no guard', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch();
  expect(guardsOf(taut.pid)).toEqual([]);
});

/** Starts a guard of `taut` by hand. @returns its process id. */
async function guardFor(taut: number, script: string): Promise<number> {
  await using start = new Program(guardPath(), [String(taut), '/bin/sh', '-c', script]);
  await start.line(/^\d+$/);
  return Number(start.lines[0]);
}

test('who started it is gone before it looks, and another has that process id: it restores at once', async () => {
  using sandbox = new Sandbox();
  const ran = join(sandbox.dir, 'ran');
  await using another = new Program('sleep', ['1000']);
  const guard = await guardFor(another.pid, `echo "$PWD $(ps -o sid= -p $$)" >${ran}`);
  await until('it has ended', () => !isRunning(guard));
  const [folder, session] = readFileSync(ran, 'utf8').trim().split(/\s+/);
  expect(folder).toBe('/');
  expect(Number(session)).not.toBe(guard);
  expect(isRunning(another.pid)).toBe(true);
});

test('the restore fails, or is killed, each time: it gives up', async () => {
  using sandbox = new Sandbox();
  const tries = join(sandbox.dir, 'tries');
  const count = () => (existsSync(tries) ? readFileSync(tries, 'utf8').length : 0);
  await using another = new Program('sleep', ['1000']);
  const guard = await guardFor(another.pid, `printf x >>${tries}; [ $(wc -c <${tries}) -lt 3 ] && exit 1; kill -9 $$`);
  await until('it has ended', () => !isRunning(guard));
  expect(count()).toBe(20);
});

test('it can not be started: that is said once, with what to do, and everything else is done', async () => {
  using sandbox = new Sandbox();
  await using agent = await agentOf(sandbox);
  const options = ['--state-dir', sandbox.stateDir, '--config', sandbox.config, '--optimize-timer-slack'];
  const script = 'mount --bind /dev/null "$0" && exec "$@"';
  await using taut = new Program('unshare', [
    '--mount',
    'sh',
    '-c',
    script,
    guardPath(),
    LAUNCHER,
    'watch',
    ...options,
  ]);
  await isTuned(agent);
  await taut.line(/watching/);
  expect((await sandbox.json<StatusDocument>('status')).guard).toBeNull();
  expect(await taut.stop()).toBe(0);
  expect(taut.errors.filter((line) => /there is no guard: .*taut-guard.*run: taut restore/.test(line))).toHaveLength(1);
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
});
