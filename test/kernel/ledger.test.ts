/** Storage that is damaged, full or read-only: nothing is tuned, measuring goes on, and it is said. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import { ownerPid } from '../../src/actuator/owner.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { tell } from '../support/conversation.ts';
import { Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** Watches with a flag, under `prepare` (a shell command in a mount namespace of its own), and ends it. */
async function watchUnder(sandbox: Sandbox, prepare: string, agent: Program): Promise<Program> {
  const script = `${prepare} && exec "$@"`;
  const options = ['--state-dir', sandbox.stateDir, '--config', sandbox.config, '--optimize-timer-slack'];
  const env = { ...process.env, OTEL_METRIC_EXPORT_INTERVAL: '1000' };
  const taut = new Program('unshare', ['--mount', 'sh', '-c', script, 'sh', LAUNCHER, 'watch', ...options], env);
  await taut.line(/watching/);
  await tell(agent, 'sleep 20 500');
  return taut;
}

test('a damaged ledger', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  mkdirSync(sandbox.stateDir, { recursive: true });
  writeFileSync(join(sandbox.stateDir, 'ledger.db'), 'this is no database, and was one once'.repeat(200));
  await using taut = await watchUnder(sandbox, 'true', agent);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => line.includes('ledger.db'))).toHaveLength(1);
  expect(sandbox.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
});

test('a file system that is full', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  mkdirSync(sandbox.stateDir, { recursive: true });
  const full = `mount -t tmpfs -o size=64k,mode=700 none ${sandbox.stateDir} && (dd if=/dev/zero of=${sandbox.stateDir}/full bs=4k 2>/dev/null || true)`;
  await using taut = await watchUnder(sandbox, full, agent);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => line.includes('not tuning'))).toHaveLength(1);
});

/** A state directory in which nothing can be made, by what a shell does in a mount namespace of its own. */
const UNWRITABLE = {
  'read-only': (dir: string) => `mount -t tmpfs -o mode=700 none ${dir} && mount -o remount,ro ${dir}`,
  'read-only, with what an earlier taut left': (dir: string) =>
    `touch ${dir}/taut.lock ${dir}/taut.sock ${dir}/ledger.db && mount --bind ${dir} ${dir} && mount -o remount,bind,ro ${dir}`,
  'on a full disk without an inode left': (dir: string) =>
    `mount -t tmpfs -o nr_inodes=2,mode=700 none ${dir} && touch ${dir}/last`,
  'without leave to write': (dir: string) => `mount -t tmpfs -o mode=700 none ${dir} && chattr +i ${dir}`,
  'where the lock is a directory': (dir: string) => `mkdir ${dir}/taut.lock`,
};

test.each(Object.entries(UNWRITABLE))('a state directory that is %s: measuring goes on', async (_, prepare) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  mkdirSync(sandbox.stateDir, { recursive: true });
  const taut = await watchUnder(sandbox, prepare(sandbox.stateDir), agent);
  await using ended = taut;
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(ended.errors.filter((line) => line.includes('measuring in full'))).toHaveLength(1);
  expect(ended.errors.filter((line) => line.includes('attached to'))).toHaveLength(1);
  expect(await ended.stop()).toBe(1);
  const about = (text: string) => ended.errors.filter((line) => line.includes(text));
  expect(about('taut.lock'), ended.errors.join('\n')).toHaveLength(1);
  expect(about('taut.lock')[0]).toMatch(
    /measuring goes on, without tuning.*; make .* writable, or use another --state-dir/,
  );
  expect(about('end that taut')).toEqual([]);
});

test('telemetry that can not be written is said once, with what to do', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  mkdirSync(sandbox.stateDir, { recursive: true });
  await using taut = await watchUnder(sandbox, UNWRITABLE['read-only'](sandbox.stateDir), agent);
  await setTimeout(3_000); // three exports
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => /otlp.*EROFS/.test(line))).toHaveLength(1);
  expect(taut.errors.join()).toMatch(/traces, metrics, logs can't be written into .*OTEL_EXPORTER_OTLP_ENDPOINT/);
});

test('where the lock of all who tune can not be made, nothing is tuned', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const readOnly = 'unset TAUT_HOST_LOCK; mount -t tmpfs none /run && mount -o remount,ro /run';
  await using taut = await watchUnder(sandbox, readOnly, agent);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(taut.errors.filter((line) => /writer\.lock.*make \/run\/taut writable$/.test(line))).toHaveLength(1);
  expect(await taut.stop()).toBe(1);
  expect(sandbox.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
});

test('a socket that can not be made is said, and everything else is done', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  mkdirSync(join(sandbox.stateDir, 'taut.sock/x'), { recursive: true });
  await using taut = await watchUnder(sandbox, 'true', agent);
  expect(slacks(agent.pid)).toEqual([1]);
  expect(taut.errors.filter((line) => line.includes("the control socket can't be made"))).toHaveLength(1);
  expect(await taut.stop()).toBe(1);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test.each([
  [
    'a full disk',
    'mount -t tmpfs -o size=200k,mode=700 none $D && $S >&2 && dd if=/dev/zero of=$D/full bs=4k 2>/dev/null || true',
  ],
  ['a read-only disk', '$S >&2 && mount --bind $D $D && mount -o remount,bind,ro $D'],
])('status has an answer on %s', async (_, prepare) => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.stateDir, { recursive: true });
  const made = join(sandbox.dir, 'made');
  new Ledger(made)[Symbol.dispose]();
  const script = prepare.replace('$S', `cp ${made}/ledger.db $D`).replaceAll('$D', sandbox.stateDir);
  const argv = [LAUNCHER, 'status', '--json', '--state-dir', sandbox.stateDir];
  await using status = new Program('unshare', ['--mount', 'sh', '-c', `${script}; exec "$@"`, 'sh', ...argv]);
  expect(await status.ended, status.errors.join('\n')).toBe(0);
  expect(JSON.parse(status.lines.join('\n'))).toMatchObject({ daemon: null, ledger: { entries: 0 } });
});

test('status says so where the ledger can not be read', async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.stateDir, { recursive: true });
  writeFileSync(join(sandbox.stateDir, 'ledger.db'), 'this is no database, and was one once'.repeat(200));
  await using status = sandbox.taut('status');
  expect(await status.ended).toBe(1);
  expect(status.lines.join('\n')).toMatch(/ledger\.db, the record of what taut changes, can't be used/);
});

test('a ledger that can not be written any more while taut runs', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await using first = await sleeper(sandbox);
  await until('the first is tuned', () => slacks(first.pid)[0] === 1);
  // Another connection holds the database for longer than taut waits.
  await using holder = new Program('python3', [
    '-c',
    'import sqlite3,sys;c=sqlite3.connect(sys.argv[1],isolation_level=None);c.execute("BEGIN EXCLUSIVE");print("held",flush=True);sys.stdin.read()',
    join(sandbox.stateDir, 'ledger.db'),
  ]);
  await holder.line(/held/);
  await using second = await sleeper(sandbox);
  await taut.line(/not tuning/);
  expect(slacks(second.pid)).toEqual([50_000]);
  await holder.stop();
  expect(await taut.stop()).toBe(1);
  expect([slacks(first.pid), slacks(second.pid)]).toEqual([[50_000], [50_000]]);
});

test('is readable by status while the daemon writes, and by nobody but its owner', async () => {
  using sandbox = new Sandbox();
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  const storm = tell(agent, 'threads 2000');
  for (let i = 0; i < 5; i++) {
    await using status = sandbox.taut('status', '--json');
    expect(await status.ended).toBe(0);
    expect((JSON.parse(status.lines.join('\n')) as StatusDocument).agents).toHaveLength(1);
  }
  await storm;
  for (const name of readdirSync(sandbox.stateDir).filter((n) => n.startsWith('ledger')))
    expect(statSync(join(sandbox.stateDir, name)).mode & 0o077, name).toBe(0);
  expect(readFileSync(join(sandbox.stateDir, 'ledger.db')).subarray(0, 15).toString()).toBe('SQLite format 3');
});

test('is made and opened by many at once, and nobody finds it locked', async () => {
  using sandbox = new Sandbox();
  const opener = fileURLToPath(new URL('fixtures/opener.ts', import.meta.url));
  const openers = [1, 2, 3, 4].map(() => new Program(process.execPath, [opener, sandbox.stateDir, '200']));
  const codes = await Promise.all(openers.map(({ ended }) => ended));
  expect(codes, openers.flatMap(({ errors }) => errors).join('\n')).toEqual([0, 0, 0, 0]);
});

test('an entry belongs to the taut that wrote it: another leaves it alone while that one lives', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  using ledger = new Ledger(sandbox.stateDir);
  expect(ledger.entries().map(({ owner }) => ownerPid(owner))).toEqual([taut.pid]);
  expect([ledger.own(), ledger.orphans()]).toEqual([[], []]);
  await taut.stop('SIGKILL');
  expect(ledger.orphans()).toHaveLength(1);
});

test('a ledger of an older taut, which does not say whose its entries are, is read on', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await (await sandbox.watch('--optimize-timer-slack', '--no-guard')).stop('SIGKILL');
  const path = join(sandbox.stateDir, 'ledger.db');
  using db = new DatabaseSync(path);
  db.exec('ALTER TABLE tuned_thread DROP COLUMN owner');
  using ledger = new Ledger(sandbox.stateDir);
  expect(ledger.orphans().map(({ tid, owner }) => ({ tid, owner }))).toEqual([{ tid: agent.pid, owner: '' }]);
});
