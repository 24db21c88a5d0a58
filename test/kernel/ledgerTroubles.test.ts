/** The record of a killed taut, where it can't be written or read as it was: what can be read is put back, and the rest is said. */
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import { tell } from '../support/conversation.ts';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** A mount namespace in which the state directory is a file system of its own. */
class Place implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #holder: Program;

  private constructor(sandbox: Sandbox, holder: Program) {
    this.#sandbox = sandbox;
    this.#holder = holder;
  }

  static async make(sandbox: Sandbox): Promise<Place> {
    mkdirSync(sandbox.stateDir, { recursive: true });
    const mount = `mount -t tmpfs -o size=2m,mode=700 none ${sandbox.stateDir} && echo mounted && exec sleep 1000`;
    const holder = new Program('unshare', ['--mount', 'sh', '-c', mount]);
    await holder.line(/^mounted/);
    return new Place(sandbox, holder);
  }

  run(command: string, ...args: readonly string[]): Program {
    return new Program('nsenter', [`--mount=/proc/${this.#holder.pid}/ns/mnt`, command, ...args]);
  }

  taut(command: string, ...options: readonly string[]): Program {
    return this.run(LAUNCHER, command, '--state-dir', this.#sandbox.stateDir, ...options);
  }

  async shell(script: string): Promise<void> {
    const { code, err } = await outcome(this.run('sh', '-c', script.replaceAll('$D', this.#sandbox.stateDir)));
    expect(code, err).toBe(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder[Symbol.asyncDispose]();
  }
}

const WATCH = ['--optimize-timer-slack', '--no-guard'];

/** Leaves an agent tuned: its taut is killed. */
async function abandon(taut: Program, agent: Program): Promise<void> {
  await taut.line(/watching/);
  await until('it is tuned', () => slacks(agent.pid).every((ns) => ns === 1));
  await taut.stop('SIGKILL');
}

test.each([
  ['became read-only', 'mount -o remount,ro $D'],
  ['became read-only, and the index of its log is gone', 'rm $D/ledger.db-shm && mount -o remount,ro $D'],
  ['is full', 'cat /dev/zero > $D/full 2>/dev/null; true'],
  [
    'became read-only, and every place for a copy',
    'mount -o remount,ro $D; for d in /dev/shm /run; do mount -t tmpfs -o ro none $d; done; mount --rbind /tmp /tmp; mount -o remount,bind,ro /tmp',
  ],
])('a file system that %s: status counts, a dry run lists, restore puts back', async (_, trouble) => {
  using sandbox = new Sandbox();
  await using place = await Place.make(sandbox);
  await using agent = await sleeper(sandbox);
  await abandon(place.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  await place.shell(trouble);
  const status = await outcome(place.taut('status', '--json'));
  expect([status.code, JSON.parse(status.out).ledger.entries], status.err).toEqual([0, 1]);
  const dry = await outcome(place.taut('restore', '--dry-run'));
  expect([dry.code, slacks(agent.pid)], dry.err).toEqual([0, [1]]);
  expect(dry.out).toMatch(/would be put back/);
  const restore = await outcome(place.taut('restore'));
  expect([restore.code, slacks(agent.pid)], restore.err).toEqual([0, [50_000]]);
  expect(restore.out).toMatch(/1 put back/);
  expect(restore.err).toMatch(/ledger\.db can't be written \(.*\): it still has what is put back now/);
});

test('a taut that starts on a disk that is full puts back what an earlier one has left, tunes nothing, and measures', async () => {
  using sandbox = new Sandbox();
  await using place = await Place.make(sandbox);
  await using agent = await sleeper(sandbox);
  await abandon(place.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  await place.shell('cat /dev/zero > $D/full 2>/dev/null; true');
  await using taut = place.taut('watch', '--config', sandbox.config, ...WATCH);
  await taut.line(/watching/);
  expect(slacks(agent.pid)).toEqual([50_000]);
  await taut.line(/not tuning: .*ledger\.db.* can't be used: database or disk is full/);
  expect(await taut.stop()).toBe(1);
});

test('a record that another process has locked, and does not let go: everything is put back, and it is said', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  await using holder = new Program('python3', [
    '-c',
    'import sqlite3,sys;c=sqlite3.connect(sys.argv[1],isolation_level=None);c.execute("BEGIN IMMEDIATE");print("held",flush=True);sys.stdin.read()',
    join(sandbox.stateDir, 'ledger.db'),
  ]);
  await holder.line(/held/);
  const restore = await outcome(sandbox.taut('restore'));
  expect([restore.code, slacks(agent.pid)], restore.err).toEqual([0, [50_000]]);
  expect(restore.err).toMatch(/can't be written \(database is locked\)/);
});

test.each([
  ['original', "'abc'"],
  ['original', "'-5'"],
  ['target', "''"],
  ['tid', '9223372036854775807'],
  ['heirs_from', '-1'],
])('an entry whose %s is %s stays on record and is said, and the others are put back', async (column, value) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  const path = join(sandbox.stateDir, 'ledger.db');
  {
    using db = new DatabaseSync(path);
    db.exec(`UPDATE tuned_thread SET ${column} = ${value} WHERE tid <> pid`);
  }
  const restore = await outcome(sandbox.taut('restore'));
  expect([restore.code, slacks(agent.pid)[0]], restore.err).toEqual([1, 50_000]);
  expect(restore.err).toMatch(new RegExp(`the entry of thread \\d+ can't be understood: its ${column} is`));
  using db = new DatabaseSync(path);
  expect(db.prepare('SELECT count(*) AS n FROM tuned_thread').get()).toEqual({ n: 1 });
});

/** What happens to the log, which has all of a young ledger, while its index is there or not. */
const CUTS: Record<string, (path: string) => void> = {
  'is cut to 2,000 bytes': (path) => truncateSync(`${path}-wal`, 2_000),
  'is cut to 2,000 bytes, with its index': (path) => {
    truncateSync(`${path}-wal`, 2_000);
    truncateSync(`${path}-shm`, 0);
  },
  'is cut between two pages': (path) => truncateSync(`${path}-wal`, 32 + 4_120),
  'is empty': (path) => truncateSync(`${path}-wal`, 0),
  'is gone': (path) => rmSync(`${path}-wal`),
};

test.each(Object.entries(CUTS))('a log that %s: restore does not say that there was nothing', async (_, cut) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  cut(join(sandbox.stateDir, 'ledger.db'));
  const restore = await outcome(sandbox.taut('restore'));
  expect(restore.code, restore.out).toBe(1);
  expect(restore.err).toMatch(/a part of its write-ahead log is gone/);
  expect(restore.out).not.toMatch(/nothing to put back/);
});

test('an index of the log that is cut alone loses nothing', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  truncateSync(join(sandbox.stateDir, 'ledger.db-shm'), 0);
  const restore = await outcome(sandbox.taut('restore'));
  expect([restore.code, slacks(agent.pid)], restore.err).toEqual([0, [50_000]]);
});

test('a page that is damaged in the middle: what lies around it is put back', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  for (let i = 0; i < 60; i++) await tell(agent, 'thread');
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  const path = join(sandbox.stateDir, 'ledger.db');
  {
    using db = new DatabaseSync(path);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }
  const bytes = readFileSync(path);
  const pages = bytes.length / 4_096;
  // A leaf of the table's tree that is neither its first nor its last: by its kind, an index leaf.
  const leaves = Array.from({ length: pages }, (_, i) => i * 4_096).filter((at) => bytes[at] === 10);
  expect(leaves.length).toBeGreaterThan(2);
  bytes.fill(0xff, leaves[1], (leaves[1] ?? 0) + 4_096);
  writeFileSync(path, bytes);
  const restore = await outcome(sandbox.taut('restore'));
  expect(restore.code, restore.out).toBe(1);
  expect(restore.err).toMatch(/a part of it can't be read/);
  const left = slacks(agent.pid).filter((ns) => ns === 1).length;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(61);
});

test.each([
  ['of a later layout', 'PRAGMA user_version = 99', /a later taut made it \(layout 99/],
  ['with a column more', 'ALTER TABLE tuned_thread ADD COLUMN more TEXT', /does not know its columns more/],
  ['of something else', 'ALTER TABLE tuned_thread RENAME COLUMN original TO first', /does not know its columns first/],
])('a ledger %s is left as it is: restore and status say so, and nothing is tuned', async (_, sql, why) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  const path = join(sandbox.stateDir, 'ledger.db');
  {
    using db = new DatabaseSync(path);
    db.exec(sql);
  }
  const before = readFileSync(path);
  for (const command of ['restore', 'status']) {
    const { code, out, err } = await outcome(sandbox.taut(command));
    expect([code, slacks(agent.pid)], out).toEqual([1, [1]]);
    expect(`${out}${err}`).toMatch(why);
  }
  await using taut = await sandbox.watch(...WATCH);
  expect(taut.errors.filter((line) => why.test(line))).toHaveLength(1);
  expect(await taut.stop()).toBe(1);
  expect(readFileSync(path)).toEqual(before);
});

test('entries of another host stay, those of an earlier boot of this one go, and restore says what stays', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  for (let i = 0; i < 2; i++) await tell(agent, 'thread');
  await abandon(sandbox.taut('watch', '--config', sandbox.config, ...WATCH), agent);
  const path = join(sandbox.stateDir, 'ledger.db');
  {
    using db = new DatabaseSync(path);
    const [first, second] = db.prepare('SELECT tid FROM tuned_thread ORDER BY tid').all();
    const make = (tid: unknown, of: string) =>
      db.exec(`UPDATE tuned_thread SET boot = 'another'${of} WHERE tid = ${tid}`);
    make(first?.['tid'], '');
    make(second?.['tid'], ", host = 'another'");
  }
  const restore = await outcome(sandbox.taut('restore'));
  expect(restore.code, restore.err).toBe(0);
  expect(restore.err).toMatch(/has 1 entries of other hosts/);
  using ledger = new Ledger(sandbox.stateDir);
  expect([ledger.count(), ledger.countElsewhere()]).toEqual([0, 1]);
});
