/** What another user has put, or could put, where taut keeps its files: nothing of it is read, followed or asked. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';

/** A user without a name, a group or a capability. */
const UID = 4242;

/** A ledger that says of the agent, which has 1 ns, that it had 3,600 s before taut. */
async function forge(sandbox: Sandbox, agent: Program): Promise<string> {
  const taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack', '--no-guard');
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  await taut.stop('SIGKILL');
  const path = join(sandbox.stateDir, 'ledger.db');
  const db = new DatabaseSync(path);
  db.exec("UPDATE tuned_thread SET original = '3600000000000'; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  return path;
}

const WAYS: [string, (sandbox: Sandbox, ledger: string) => void, RegExp][] = [
  ['the ledger belongs to another user', (_, ledger) => chownSync(ledger, UID, UID), /ledger\.db belongs to user 4242/],
  [
    'everybody may write to the ledger',
    (_, ledger) => chmodSync(ledger, 0o666),
    /can write to .*ledger\.db: chmod go-w/,
  ],
  [
    "the ledger's log belongs to another user",
    (_, ledger) => {
      writeFileSync(`${ledger}-wal`, '');
      chownSync(`${ledger}-wal`, UID, UID);
    },
    /ledger\.db-wal belongs to user 4242/,
  ],
  [
    'the ledger is a link',
    ({ dir }, ledger) => {
      renameSync(ledger, join(dir, 'elsewhere'));
      symlinkSync(join(dir, 'elsewhere'), ledger);
    },
    /ledger\.db is a link/,
  ],
  [
    'the state directory belongs to another user',
    ({ stateDir }) => chownSync(stateDir, UID, UID),
    /state belongs to user 4242/,
  ],
  [
    'everybody may write to the state directory',
    ({ stateDir }) => chmodSync(stateDir, 0o777),
    /can write to .*state: chmod go-w/,
  ],
  ['everybody may replace the state directory', ({ dir }) => chmodSync(dir, 0o777), /can write to .*: chmod go-w/],
  [
    'the state directory is a link',
    ({ dir, stateDir }) => {
      renameSync(stateDir, join(dir, 'elsewhere'));
      symlinkSync(join(dir, 'elsewhere'), stateDir);
    },
    /state is a link, which taut does not follow/,
  ],
];

test.each(WAYS)('restore writes to no process where %s', async (_, prepare, why) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  prepare(sandbox, await forge(sandbox, agent));
  await using restore = sandbox.taut('restore');
  const { code, out, err } = await outcome(restore);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(why);
  expect(slacks(agent.pid)).toEqual([1]);
});

test('neither does a taut that starts there: it measures, and a command runs, but nothing is tuned', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  chownSync(await forge(sandbox, agent), UID, UID);
  const why = /ledger\.db belongs to user 4242/;
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(taut.errors.join('\n')).toMatch(why);
  expect(await taut.stop()).toBe(1);
  expect(slacks(agent.pid)).toEqual([1]);
  await using run = sandbox.taut('run', '--optimize-timer-slack', '--', 'sh', '-c', 'cat /proc/$$/timerslack_ns');
  expect(await outcome(run)).toMatchObject({ code: 0, out: '50000', err: expect.stringMatching(why) });
});

test.each([
  ['is a link', (lock: string, dir: string) => symlinkSync(join(dir, 'made'), lock), /taut\.lock is a link/],
  [
    'belongs to another user',
    (lock: string) => {
      writeFileSync(lock, '');
      chownSync(lock, UID, UID);
    },
    /taut\.lock belongs to user 4242/,
  ],
])('a lock that %s is not taken', async (_, prepare, why) => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  mkdirSync(sandbox.stateDir, { mode: 0o700 });
  prepare(join(sandbox.stateDir, 'taut.lock'), sandbox.dir);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  expect(taut.errors.join('\n')).toMatch(why);
  expect(await taut.stop()).toBe(1);
  expect(existsSync(join(sandbox.dir, 'made'))).toBe(false);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test.each([
  ['in a directory to which everybody may write', 0o777, 0, /can write to .*state: chmod go-w/],
  ['that belongs to another user', 0o700, UID, /taut\.sock belongs to user 4242/],
])('who serves at a socket %s is not asked', async (_, mode, owner, why) => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.stateDir);
  chmodSync(sandbox.stateDir, mode);
  const path = join(sandbox.stateDir, 'taut.sock');
  const asked: string[] = [];
  await using server = createServer((socket) => socket.on('data', (data) => asked.push(String(data))).resume());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chownSync(path, owner, owner);
  for (const args of [['status'], ['explain', String(process.pid)]]) {
    await using program = sandbox.taut(...args);
    const { code, out, err } = await outcome(program);
    expect([code, out], args.join(' ')).toEqual([1, '']);
    expect(err).toMatch(why);
  }
  expect(asked).toEqual([]);
});

test('telemetry is not written through a link, neither of the folder nor of a file', async () => {
  using sandbox = new Sandbox();
  const victim = join(sandbox.dir, 'victim');
  mkdirSync(victim);
  mkdirSync(sandbox.stateDir, { mode: 0o700 });
  const otlp = join(sandbox.stateDir, 'otlp');
  symlinkSync(victim, otlp);
  await using first = await sandbox.watch();
  expect(first.errors.join('\n')).toMatch(/otlp is a link, which taut does not follow/);
  await first.stop();
  expect(existsSync(join(victim, 'metrics.jsonl'))).toBe(false);

  renameSync(otlp, `${otlp}.old`);
  mkdirSync(otlp, { mode: 0o700 });
  const file = join(victim, 'file');
  writeFileSync(file, 'mine');
  symlinkSync(file, join(otlp, 'metrics.jsonl'));
  await using second = await sandbox.watch();
  await second.line(/metrics .*ELOOP/);
  await second.stop();
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

test.runIf(existsSync('/dev/fuse'))(
  "a file system that another user serves is not believed that its files are root's",
  async () => {
    using sandbox = new Sandbox();
    const place = join(sandbox.dir, 'served');
    mkdirSync(place);
    for (const [user, said] of [
      [String(UID), /served is in a file system that user 4242 serves/],
      ['0', /can't turn the kill switch/], // as nothing can be made there
    ] as const) {
      const command = [LAUNCHER, 'off', '--state-dir', join(place, 'below')];
      await using program = new Program('unshare', [
        '-m',
        'python3',
        join(FIXTURES, 'served.py'),
        place,
        user,
        ...command,
      ]);
      expect(await program.ended).toBeGreaterThan(0);
      expect(program.errors.join('\n')).toMatch(said);
    }
  },
);
