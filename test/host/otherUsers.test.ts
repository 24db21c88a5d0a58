/** What a user who may not look into a daemon's state directory is told: never that there is nothing. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** A user without a name, a group or a capability. */
const UID = 4242;
const OTHER = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--'];
const PUBLIC = '/run/taut/public';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function said(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Said> {
  await using program = new Program(command[0] ?? '', command.slice(1), env, '/');
  const code = await program.ended;
  return { code, out: program.lines.join('\n'), err: program.errors.join('\n') };
}

const asOther = (sandbox: Sandbox, ...args: string[]) =>
  said([...OTHER, LAUNCHER, ...args, '--state-dir', sandbox.stateDir]);

/** What must never be said where it is not known. */
const ABSENCE = /no taut is running|nothing to put back|0 entries|"entries": 0|no agent is running/;

function socketsThere(): string[] {
  return readdirSync(PUBLIC).filter((name) => name.endsWith('.sock'));
}

const leftovers: Sandbox[] = [];
afterEach(() => {
  for (const sandbox of leftovers.splice(0)) execFileSync(LAUNCHER, ['restore', '--state-dir', sandbox.stateDir]);
});

test.each([
  ['may be seen from outside', 0o755],
  ['lies below a directory that is closed', 0o700],
])('a user is told what the daemon of a state directory that %s tells everybody', async (_, mode) => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, mode);
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const text = await asOther(sandbox, 'status');
  expect(text.code, text.err).toBe(0);
  expect(text.out).toMatch(new RegExp(`taut ${taut.pid} is running, since`));
  expect(text.out).toMatch(new RegExp(` ${agent.pid}  fixture-agent: timer slack 1 ns in 1 of 1 thread`));
  expect(text.out).toContain(`user ${UID} may not`);
  const json = await asOther(sandbox, 'status', '--json');
  expect(JSON.parse(json.out)).toMatchObject({
    access: 'public',
    daemon: { pid: taut.pid },
    agents: [{ pid: agent.pid, target: 1 }],
    ledger: { entries: 1 },
  });
  const explained = await asOther(sandbox, 'explain', String(agent.pid), '--json');
  expect(explained.code).toBe(0);
  expect(JSON.parse(explained.out)).toMatchObject({
    decision: 'attach',
    rule: 'fixture',
    access: 'public',
    evidence: [],
    gate: { value: 1, reason: '--optimize-timer-slack' },
  });
  expect(explained.out + json.out).not.toContain(sandbox.mark);
  // Whom no rule names, by the daemon's word and not by the built-in rules.
  const ignored = await asOther(sandbox, 'explain', String(process.pid), '--json');
  expect(JSON.parse(ignored.out)).toMatchObject({ decision: 'ignore', access: 'public', daemon: true });
  expect(await asOther(sandbox, 'explain', '4194304')).toMatchObject({
    code: 1,
    err: 'taut: there is no process 4194304',
  });
});

test('what only its owner may do and know is refused with the reason, and nothing is called absent', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o755);
  await using agent = await sleeper(sandbox);
  await using _taut = await sandbox.watch('--optimize-timer-slack');
  for (const args of [['restore'], ['restore', '--dry-run'], ['restore', '--json'], ['explain', '--last', '3']]) {
    const { code, out, err } = await asOther(sandbox, ...args);
    expect(code, args.join(' ')).toBe(3);
    expect(out).toBe('');
    expect(err).toMatch(new RegExp(`user ${UID} may not look into ${sandbox.stateDir}.* can't be known; ask as root`));
    expect(err).not.toMatch(ABSENCE);
  }
  expect(slacks(agent.pid)).toEqual([1]);
});

test('without a daemon that answers, a user is told that neither daemon nor ledger can be known', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o755);
  await using agent = await sleeper(sandbox);
  leftovers.push(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await taut.stop('SIGKILL');
  for (const args of [['status'], ['status', '--json'], ['restore']]) {
    const { code, out, err } = await asOther(sandbox, ...args);
    expect(code, args.join(' ')).toBe(3);
    expect(out + err).not.toMatch(ABSENCE);
    expect(err).toContain(`user ${UID} may not look into ${sandbox.stateDir}`);
  }
  // What the rules say may be known; whether a daemon goes by it may not.
  const { code, out } = await asOther(sandbox, 'explain', String(agent.pid));
  expect(code).toBe(3);
  expect(out).toContain(`process ${agent.pid} is no agent`); // the built-in rules do not know it
  expect(out).toContain(`may not look into ${sandbox.stateDir}, so whether a daemon runs with it can't be known`);
  expect(out).not.toMatch(ABSENCE);
  execFileSync(LAUNCHER, ['restore', '--state-dir', sandbox.stateDir]);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('a ledger that may not be read, in a directory that may, is not empty', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o755);
  await using first = await sandbox.watch();
  await first.stop();
  chmodSync(sandbox.stateDir, 0o755);
  const status = await asOther(sandbox, 'status');
  expect(status.code).toBe(3);
  expect(status.out).toContain('no taut is running'); // that can be seen here
  expect(status.out).toMatch(new RegExp(`what is still to be put back user ${UID} may not know .*ledger.db`));
  expect(JSON.parse((await asOther(sandbox, 'status', '--json')).out)).toMatchObject({ ledger: { entries: null } });
  const restore = await asOther(sandbox, 'restore');
  expect(restore.code).toBe(3);
  expect(restore.err).toMatch(/ledger.db, so what it holds can't be known/);
});

test('the state directory stays closed, and the public socket does no more than it says', async () => {
  using sandbox = new Sandbox();
  const before = new Set(statSync(PUBLIC, { throwIfNoEntry: false }) ? socketsThere() : []);
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const mode = (path: string) => statSync(path).mode & 0o777;
  expect([mode(sandbox.stateDir), mode(join(sandbox.stateDir, 'taut.sock'))]).toEqual([0o700, 0o600]);
  expect(['ledger.db', 'taut.lock'].map((name) => mode(join(sandbox.stateDir, name)))).toEqual([0o600, 0o600]);
  const [name, ...more] = socketsThere().filter((there) => !before.has(there));
  expect(more).toEqual([]);
  const path = join(PUBLIC, name ?? '');
  expect([mode('/run/taut'), mode(PUBLIC), mode(path)]).toEqual([0o711, 0o711, 0o666]);

  const refused = { error: expect.stringContaining('not for everybody') };
  for (const request of [
    { op: 'restore', pids: [agent.pid] },
    { op: 'last', n: 5 },
    { op: ['status'] },
    'status',
    null,
  ])
    expect(JSON.parse(await exchange(path, `${JSON.stringify(request)}\n`)), JSON.stringify(request)).toEqual(refused);
  expect(JSON.parse(await exchange(path, '\x1b[31m{"op":\n'))).toEqual(refused);
  expect(JSON.parse(await exchange(path, '{"op":"explain","pid":-1}\n'))).toMatchObject({ error: expect.any(String) });
  expect(await exchange(path, 'x'.repeat(2_000))).toBe('');
  // Who says nothing is let go: the oldest of those beyond a number at once.
  const silent = Array.from({ length: 40 }, () => exchange(path, '{'));
  expect(await Promise.all(silent)).toEqual(silent.map(() => ''));
  expect(JSON.parse(await exchange(path, '{"op":"status"}\n'))).toMatchObject({ ok: { access: 'public' } });
  // A flood shuts it for the rest of a second.
  await until('it is shut', async () => {
    // On a busy host one flood may take so long that it is none.
    const flood = Array.from({ length: 300 }, async () => {
      await exchange(path, '{"op":"status"}\n');
      return !socketsThere().includes(name ?? '');
    });
    return (await Promise.all(flood)).includes(true);
  });
  await until('it is open again', async () => (await exchange(path, '{"op":"status"}\n')).startsWith('{"ok"'));
  expect(mode(path)).toBe(0o666);
  expect(slacks(agent.pid)).toEqual([1]);
  await taut.stop();
  expect(socketsThere()).not.toContain(name);
});

/** All that a server answers to some bytes until it ends the connection. */
function exchange(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}

const ITS_OWN_HOST = 'mount -t tmpfs none /run && mount -t tmpfs none /var/lib && exec "$@"';

test("a user's plain status and explain tell of root's daemon", async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o755);
  await using agent = await sleeper(sandbox);
  const world = ['--mount', 'sh', '-c', ITS_OWN_HOST, 'sh', LAUNCHER, 'watch', '--config', sandbox.config];
  const { TAUT_STATE_DIR: _, ...env } = process.env;
  await using taut = new Program('unshare', world, env);
  await taut.line(/watching/);
  const inside = (...args: string[]) =>
    said(
      [
        'nsenter',
        `--mount=/proc/${taut.pid}/ns/mnt`,
        ...OTHER,
        'env',
        `XDG_STATE_HOME=${sandbox.dir}/none`,
        LAUNCHER,
        ...args,
      ],
      env,
    );
  const status = await inside('status');
  expect(status.code, status.err).toBe(0);
  expect(status.out).toContain(`no taut is running with ${sandbox.dir}/none/taut`);
  expect(status.out).toMatch(new RegExp(`root's taut ${taut.pid} runs on this host.*: 1 agents, 0 of them tuned`));
  expect(JSON.parse((await inside('status', '--json')).out)).toMatchObject({
    daemon: null,
    hostDaemon: { stateDir: '/var/lib/taut', pid: taut.pid, agents: 1, tuned: 0 },
  });
  const explained = await inside('explain', String(agent.pid));
  expect(explained.out).toContain(`process ${agent.pid} is an agent: fixture-agent (rule fixture)`);
  expect(explained.out).toContain('the daemon with /var/lib/taut');
  mkdirSync(join(sandbox.dir, 'none'));
  chownSync(join(sandbox.dir, 'none'), UID, UID);
  for (const turn of ['off', 'on']) {
    const turned = await inside(turn);
    expect([turned.code, turned.err]).toEqual([
      0,
      expect.stringContaining(`root's taut ${taut.pid} is not turned ${turn} by that: it has a switch of its own`),
    ]);
  }
  // A state directory of its own that it may not look into, as a sudo that keeps HOME leaves it.
  chmodSync(sandbox.dir, 0o700);
  const closed = await inside('status');
  expect(closed.code).toBe(3);
  expect(closed.err).toContain(`may not look into ${sandbox.dir}/none/taut`);
  expect(closed.err).toContain(`root's taut ${taut.pid} runs on this host`);
});

test.each([
  ['a link', 'mkdir /run/other && ln -s other /run/taut', '/run/other'],
  ['of another user', `mkdir /run/taut && chown ${UID} /run/taut`, '/run/taut'],
  ['a link further down', 'mkdir /run/taut /run/other && ln -s ../other /run/taut/public', '/run/other'],
])('a folder for public sockets that is %s is left alone', async (_, prepare, folder) => {
  using sandbox = new Sandbox();
  const script = `mount -t tmpfs none /run && ${prepare} && chmod 700 ${folder} && exec "$@"`;
  const watch = ['watch', '--config', sandbox.config, '--state-dir', sandbox.stateDir, '--log-level', 'debug'];
  await using taut = new Program('unshare', ['--mount', 'sh', '-c', script, 'sh', LAUNCHER, ...watch]);
  await taut.line(/telling other users nothing: /);
  await taut.line(/watching/);
  const inside = await said([
    'nsenter',
    `--mount=/proc/${taut.pid}/ns/mnt`,
    'sh',
    '-c',
    `stat -c %a ${folder}; ls ${folder}`,
  ]);
  expect(inside).toEqual({ code: 0, out: '700', err: '' });
});

test('where /proc hides processes from users, nobody is told of them, and what is hidden is not called absent', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const hide = `mount -t proc -o hidepid=2 proc /proc && ${ITS_OWN_HOST}`;
  const world = ['--mount', 'sh', '-c', hide, 'sh', LAUNCHER, 'watch', '--config', sandbox.config];
  await using taut = new Program('unshare', [...world, '--state-dir', sandbox.stateDir, '--log-level', 'debug']);
  await taut.line(/telling other users nothing: .*hidepid/);
  await taut.line(/watching/);
  const inside = (...args: string[]) =>
    said(['nsenter', `--mount=/proc/${taut.pid}/ns/mnt`, ...OTHER, LAUNCHER, ...args, '--state-dir', '/tmp']);
  const { code, out, err } = await inside('explain', String(agent.pid));
  expect(code).toBe(3);
  expect(out).toBe('');
  expect(err).toMatch(new RegExp(`whether there is a process ${agent.pid} can't be known: .*hidepid`));
});

test('explain calls a kernel thread a kernel thread, for root, a user and an operator who named it', async () => {
  using sandbox = new Sandbox();
  const is = 'process 2 is a kernel thread (kthreadd): it runs no program, and no rule names it';
  for (const as of [[], OTHER]) {
    const { code, out } = await said([...as, LAUNCHER, 'explain', '2', '--state-dir', `${sandbox.dir}/none`]);
    expect([code, out.split('\n')[0]], out).toEqual([as.length === 0 ? 0 : 3, is]);
    expect(out).not.toContain('its program');
  }
  // Any other of them, with a name of its own kind.
  const worker = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readText(`/proc/${name}/comm`).startsWith('kworker/'))
    .at(0);
  const attached = await said([LAUNCHER, 'attach', String(worker), '--state-dir', sandbox.stateDir]);
  expect([attached.code, attached.err]).toEqual([1, expect.stringContaining('is a thread of the kernel (kworker/')]);
});

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
