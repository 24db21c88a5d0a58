/** Storage that is damaged, full or read-only: nothing is tuned, measuring goes on, and it is said. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import { ownerPid } from '../../src/actuator/owner.ts';
import type { StatusDocument } from '../../src/status.ts';
import { tell } from './conversation.ts';
import { Program, slacks, until } from './program.ts';
import { Bench, LAUNCHER } from './taut.ts';

async function agentOf(bench: Bench): Promise<Program> {
  const agent = bench.python('sleeper.py');
  await agent.line(/^ready/);
  return agent;
}

/** Watches with a flag, under `prepare` (a shell command in a mount namespace of its own), and ends it. */
async function watchUnder(bench: Bench, prepare: string, agent: Program): Promise<Program> {
  const script = `${prepare} && exec "$@"`;
  const options = ['--state-dir', bench.stateDir, '--config', bench.config, '--optimize-timer-slack'];
  const env = { ...process.env, OTEL_METRIC_EXPORT_INTERVAL: '1000' };
  const taut = new Program('unshare', ['--mount', 'sh', '-c', script, 'sh', LAUNCHER, 'watch', ...options], env);
  await taut.line(/watching/);
  await tell(agent, 'sleep 20 500');
  return taut;
}

test('a damaged ledger', async () => {
  using bench = new Bench();
  await using agent = await agentOf(bench);
  mkdirSync(bench.stateDir, { recursive: true });
  writeFileSync(join(bench.stateDir, 'ledger.db'), 'this is no database, and was one once'.repeat(200));
  await using taut = await watchUnder(bench, 'true', agent);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => line.includes('ledger.db'))).toHaveLength(1);
  expect(bench.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
});

test('a file system that is full', async () => {
  using bench = new Bench();
  await using agent = await agentOf(bench);
  mkdirSync(bench.stateDir, { recursive: true });
  const full = `mount -t tmpfs -o size=64k none ${bench.stateDir} && (dd if=/dev/zero of=${bench.stateDir}/full bs=4k 2>/dev/null || true)`;
  await using taut = await watchUnder(bench, full, agent);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => line.includes('not tuning'))).toHaveLength(1);
});

test('a ledger that can not be written any more while taut runs', async () => {
  using bench = new Bench();
  await using taut = await bench.watch('--optimize-timer-slack');
  await using first = await agentOf(bench);
  await until('the first is tuned', () => slacks(first.pid)[0] === 1);
  // Another connection holds the database for longer than taut waits.
  await using holder = new Program('python3', [
    '-c',
    'import sqlite3,sys;c=sqlite3.connect(sys.argv[1],isolation_level=None);c.execute("BEGIN EXCLUSIVE");print("held",flush=True);sys.stdin.read()',
    join(bench.stateDir, 'ledger.db'),
  ]);
  await holder.line(/held/);
  await using second = await agentOf(bench);
  await taut.line(/not tuning/);
  expect(slacks(second.pid)).toEqual([50_000]);
  await holder.stop();
  expect(await taut.stop()).toBe(1);
  expect([slacks(first.pid), slacks(second.pid)]).toEqual([[50_000], [50_000]]);
});

test('is readable by status while the daemon writes, and by nobody but its owner', async () => {
  using bench = new Bench();
  await using agent = bench.python('storm.py');
  await agent.line(/^ready/);
  await using _taut = await bench.watch('--optimize-timer-slack');
  const storm = tell(agent, 'threads 2000');
  for (let i = 0; i < 5; i++) {
    await using status = bench.taut('status', '--json');
    expect(await status.ended).toBe(0);
    expect((JSON.parse(status.lines.join('\n')) as StatusDocument).agents).toHaveLength(1);
  }
  await storm;
  for (const name of readdirSync(bench.stateDir).filter((n) => n.startsWith('ledger')))
    expect(statSync(join(bench.stateDir, name)).mode & 0o077, name).toBe(0);
  expect(readFileSync(join(bench.stateDir, 'ledger.db')).subarray(0, 15).toString()).toBe('SQLite format 3');
});

test('is made and opened by many at once, and nobody finds it locked', async () => {
  using bench = new Bench();
  const opener = fileURLToPath(new URL('fixtures/opener.ts', import.meta.url));
  const openers = [1, 2, 3, 4].map(() => new Program(process.execPath, [opener, bench.stateDir, '200']));
  const codes = await Promise.all(openers.map(({ ended }) => ended));
  expect(codes, openers.flatMap(({ errors }) => errors).join('\n')).toEqual([0, 0, 0, 0]);
});

test('an entry belongs to the taut that wrote it: another leaves it alone while that one lives', async () => {
  using bench = new Bench();
  await using agent = await agentOf(bench);
  await using taut = await bench.watch('--optimize-timer-slack', '--no-guard');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  using ledger = new Ledger(bench.stateDir);
  expect(ledger.entries().map(({ owner }) => ownerPid(owner))).toEqual([taut.pid]);
  expect([ledger.own(), ledger.orphans()]).toEqual([[], []]);
  await taut.stop('SIGKILL');
  expect(ledger.orphans()).toHaveLength(1);
});

test('a ledger of an older taut, which does not say whose its entries are, is read on', async () => {
  using bench = new Bench();
  await using agent = await agentOf(bench);
  await (await bench.watch('--optimize-timer-slack', '--no-guard')).stop('SIGKILL');
  const path = join(bench.stateDir, 'ledger.db');
  using db = new DatabaseSync(path);
  db.exec('ALTER TABLE tuned_thread DROP COLUMN owner');
  using ledger = new Ledger(bench.stateDir);
  expect(ledger.orphans().map(({ tid, owner }) => ({ tid, owner }))).toEqual([{ tid: agent.pid, owner: '' }]);
});
