/** `taut run`: the command runs, whatever taut can do for it. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { HOLD_MS } from '../../src/cli/run/held.ts';
import { holdPath } from '../../src/native.ts';
import { tell } from '../support/conversation.ts';
import { packagesIn } from '../support/loads.ts';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';
import { entries, finished, pidOf, TUNED, WAITING } from '../support/waiting.ts';

/** The resolution of a start time, in milliseconds. */
const TICK_MS = 10;

test('tunes a command before its first instruction, and exits with its exit code', async () => {
  using sandbox = new Sandbox();
  // What the shell has, when it was made, and what time it is then.
  const script = 'cat /proc/$$/timerslack_ns /proc/$$/stat /proc/uptime; exit 7';
  for (let time = 0; time < 5; time++) {
    await using tuned = sandbox.taut('run', TUNED, '--', 'sh', '-c', script);
    const { code, out } = await outcome(tuned);
    const [slack, stat = '', uptime] = out.split('\n');
    const waitedMs = Number.parseFloat(uptime ?? '') * 1000 - Number(stat.split(' ')[21]) * 10;
    // A host that is so busy that this takes longer than a command is held has it tuned a moment later.
    expect({ code, isTuned: slack === '1' || waitedMs >= HOLD_MS - TICK_MS }).toEqual({ code: 7, isTuned: true });
  }
  await using plain = sandbox.taut('run', '--', 'sh', '-c', script);
  const { code, out } = await outcome(plain);
  expect([code, out.split('\n')[0]]).toEqual([7, '50000']);
});

test('an agent that its command starts at once, with a lower process id, is known to be born tuned', async () => {
  using sandbox = new Sandbox();
  // The kernel gives out the ids after this one: such a child comes before its parent when all processes are looked at.
  const script = `echo 300 > /proc/sys/kernel/ns_last_pid; exec 3<&0; python3 "$0" "$@" <&3 & wait`;
  const agent = [join(FIXTURES, 'sleeper.py'), sandbox.mark];
  await using taut = sandbox.taut('run', '--config', sandbox.config, TUNED, '--', 'sh', '-c', script, ...agent);
  const named = async () =>
    (await sandbox.json<StatusDocument>('status')).agents.filter(({ name }) => name === 'fixture-agent');
  await until('both are attached', async () => (await named()).length === 2);
  const lowest = Math.min(...(await named()).map(({ pid }) => pid));
  expect(lowest).toBeLessThan(taut.pid);
  for (const { threads } of await named()) expect(threads).toMatchObject({ tuned: threads.total });
}, 60_000);

test.each([
  ['it runs', []],
  ['it starts', ['sh', '-c', 'exec 3<&0; "$0" "$@" <&3 & wait']],
])(
  'what the agent that %s waits is told as tuned, which it was before it was measured',
  async (_, starts) => {
    using sandbox = new Sandbox();
    const agent = ['python3', join(FIXTURES, 'sleeper.py'), sandbox.mark];
    await using taut = sandbox.taut('run', '--config', sandbox.config, TUNED, '--', ...starts, ...agent);
    await until('it is measured', async () => {
      const { agents } = await sandbox.json<StatusDocument>('status');
      return agents.some(({ name, threads }) => name === 'fixture-agent' && threads.tuned > 0);
    });
    await tell(taut, 'sleep 50 1000');
    taut.child.stdin?.end();
    expect(await taut.ended).toBe(0);
    const counts = sandbox
      .lastCounts('taut.timer.lateness')
      .filter((one) => one.attributes['taut.timer.slack_class'] === 'reachable');
    expect(new Set(counts.map(({ attributes }) => attributes['taut.tuned']))).toEqual(new Set([true]));
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(45);
  },
  60_000,
);

test.each([
  [['/no/such/program'], 127, /^taut: \/no\/such\/program: not found$/m],
  [['no-such-program-anywhere'], 127, /not found/],
  [['/no/\x1b]0;such\x07\n\u202e'], 127, /^taut: \/no\/\\x1b\]0;such\\x07\\x0a\\xe2\\x80\\xae: not found$/m],
  [['/etc'], 126, /^taut: \/etc: Permission denied$/m],
  [['sh', '-c', 'kill -KILL $$'], 128 + 9, /^/],
  [['sh', '-c', 'kill -USR1 $$'], 128 + 10, /^/],
  [['true'], 0, /^/],
])('%j ends as a shell says it', async (command, code, said) => {
  using sandbox = new Sandbox();
  await using program = sandbox.taut('run', '--', ...command);
  const ended = await outcome(program);
  expect(ended.code).toBe(code);
  expect(ended.err).toMatch(said);
});

/** The packages that taut loads before it starts a command, and from then on; how that is started. */
async function loadsOf(sandbox: Sandbox, ...options: string[]) {
  const trace = join(sandbox.dir, 'trace');
  const args = ['-f', '-qq', '-s', '200', '-e', 'trace=openat,execve', '-o', trace, LAUNCHER, 'run', ...options];
  const env = { ...process.env, TAUT_STATE_DIR: sandbox.stateDir };
  await using program = new Program('strace', [...args, '--', ...WAITING], env);
  await program.line(/watching/);
  await finished(program);
  const lines = readFileSync(trace, 'utf8').split('\n');
  const start = lines.findIndex((line) => line.includes(`execve("${holdPath()}"`));
  const ms = /execve\("[^"]*", \["[^"]*", "\d+", "(\d+)"/.exec(lines[start] ?? '')?.[1];
  return { before: packagesIn(lines.slice(0, start)), after: packagesIn(lines.slice(start)), heldMs: Number(ms) };
}

test.each([
  [[], [], 0],
  [[TUNED], [], 50],
  [[`${TUNED}=5us`], ['commander'], 50],
  [['--log-level', 'warn', '--log-level=info'], ['commander'], 50],
])('%j: what takes long to load is loaded after the command is started', async (options, before, heldMs) => {
  using sandbox = new Sandbox();
  const loads = await loadsOf(sandbox, ...options);
  expect(loads).toMatchObject({ before: new Set(before), heldMs });
  expect(loads.after).toContain('zod');
});

test.each([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' }, []],
  [{ OTEL_TRACES_SAMPLER: 'sometimes' }, []],
  [{ TAUT_STATE_DIR: '~/taut' }, []],
  [{ TAUT_WITHOUT: 'everything' }, []],
  [{ OTEL_METRICS_EXPORTER: 'statsd' }, [TUNED]],
  [{}, [TUNED, '10us']],
  [{}, ['--no-such-option']],
])('%j %j: what is wrong is found before the command is started', async (env, options) => {
  using sandbox = new Sandbox();
  await using program = sandbox.tautWith(env, 'run', ...options, '--', 'echo', 'begun');
  expect(await outcome(program)).toMatchObject({ code: 2, out: '' });
});

/** Says of each of its standard streams whether reading and writing do not wait, once it has read a line. */
const FLAGS = `
import fcntl, os, sys
print('waits', flush=True)
assert sys.stdin.readline() == 'go on\\n'
print([fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (0, 1, 2)])
`;

test.each([
  ['sockets, as Node makes them', '"$@"'],
  ['pipes', 'cat | "$@" 2>&1 | cat'],
  ['pipes of another user', 'cat | setpriv --reuid=65534 --clear-groups --inh-caps=-all "$@" 2>&1 | cat'],
])('what a command shares with taut waits as it did: %s', async (_, world) => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o1777);
  const args = ['-c', world, 'sh', LAUNCHER, 'run', '--', 'python3', '-c', FLAGS];
  await using program = new Program('sh', args, { ...process.env, TAUT_STATE_DIR: sandbox.stateDir });
  await program.line(/^waits$/);
  await program.line(/taut: .*watching/); // by then it has been written to
  program.say('go on');
  await program.line(/^\[0, 0, 0\]$/);
});

test('a command is held no longer than it says, whatever becomes of taut', async () => {
  // Its other end is never closed.
  await using held = new Program(holdPath(), ['0', '50', 'echo', 'begun']);
  await held.line(/^begun$/);
  // And with a taut that does nothing any more, at any of its instants until then.
  using sandbox = new Sandbox();
  await using taut = sandbox.tautWith(
    { TAUT_FAULT: 'recorded' },
    'run',
    TUNED,
    '--',
    'sh',
    '-c',
    'echo begun; sleep 1',
  );
  await taut.line(/^begun$/);
});

test.each([[[]], [[TUNED]]])('runs without privilege %j, and says once what it can not do', async (options) => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o1777);
  const world = ['--reuid=65534', '--regid=65534', '--clear-groups', LAUNCHER];
  const args = ['run', '--state-dir', sandbox.stateDir, ...options, '--', ...WAITING];
  await using program = new Program('setpriv', [...world, ...args]);
  await program.line(/measuring just/);
  await program.line(/watching/);
  // A process may set its own slack, so the command begins with it.
  expect(slacks(Number(program.lines[0]))).toEqual([options.length > 0 ? 1 : 50_000]);
  expect(await finished(program)).toBe(7);
  expect(program.errors.filter((line) => line.includes('measuring just'))).toHaveLength(1);
  expect(program.errors.join('\n')).not.toMatch(/tuned 0|put back/);
  expect(program.errors.filter((line) => line.includes('CAP_SYS_NICE'))).toHaveLength(options.length);
});

const READ_ONLY = 'mkdir -p "$0" && mount -t tmpfs -o ro,mode=700 none "$0" && exec "$@"';
const DAMAGED = 'mkdir -p "$0" && echo damaged, and long enough to be no empty file > "$0/ledger.db" && exec "$@"';

test.each([READ_ONLY, DAMAGED])('runs where the state directory is of no use: %s', async (world) => {
  using sandbox = new Sandbox();
  const args = [LAUNCHER, 'run', '--state-dir', sandbox.stateDir, TUNED, '--', ...WAITING];
  await using program = new Program('unshare', ['--mount', 'sh', '-c', world, sandbox.stateDir, ...args]);
  const pid = await pidOf(program);
  await program.line(/not tuning/);
  await program.line(/watching/);
  expect(slacks(pid)).toEqual([50_000]);
  expect(await finished(program)).toBe(7);
  expect(program.errors.filter((line) => line.includes('not tuning'))).toHaveLength(1);
});

test.each([64, 32, 24])('runs with as few as %d descriptors', async (n) => {
  using sandbox = new Sandbox();
  const args = [LAUNCHER, 'run', '--state-dir', sandbox.stateDir, TUNED, '--', ...WAITING];
  await using program = new Program('sh', ['-c', `ulimit -n ${n} && exec "$@"`, 'sh', ...args]);
  await pidOf(program);
  expect(await finished(program)).toBe(7);
});

test('runs where nothing can be measured', async () => {
  using sandbox = new Sandbox();
  await using program = sandbox.tautWith({ TAUT_WITHOUT: 'bpf,schedstat' }, 'run', '--', ...WAITING);
  await program.line(/measuring is not possible here; the command goes on/);
  expect(await finished(program)).toBe(7);
});

test.each(['uncaught', 'rejection'])(
  'an error that taut did not expect (%s) puts back, and is not the command’s',
  async (fault) => {
    using sandbox = new Sandbox();
    await using program = sandbox.tautWith({ TAUT_FAULT: fault }, 'run', TUNED, '--', ...WAITING);
    const pid = await pidOf(program);
    await program.line(/did not expect/);
    await program.line(/src\/actuator\/faultPoints\.ts:\d+/); // where, in the sources
    await until('it is put back', () => slacks(pid)[0] === 50_000);
    expect(await entries(sandbox)).toBe(0);
    expect(await finished(program)).toBe(7);
  },
);

test('what a command leaves behind at its first instruction is put back, with and without the kernel’s events', async () => {
  using sandbox = new Sandbox();
  for (const without of ['', 'bpf']) {
    const script = '(sleep 1000 >&- 2>&- & echo left $!); exit 3';
    await using program = sandbox.tautWith({ TAUT_WITHOUT: without }, 'run', TUNED, '--', 'sh', '-c', script);
    const left = Number((await program.line(/^left/)).split(' ')[1]);
    try {
      expect(await program.ended).toBe(3);
      expect(slacks(left)).toEqual([50_000]);
      expect(await entries(sandbox)).toBe(0);
    } finally {
      process.kill(left, 'SIGKILL');
    }
  }
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
  'hands %s on to the command',
  async (signal) => {
    using sandbox = new Sandbox();
    const script = `trap 'echo got it; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
    await using program = sandbox.taut('run', '--', 'sh', '-c', script);
    await program.line(/^ready/);
    program.child.kill(signal);
    expect(await program.ended).toBe(5);
    expect(program.lines.filter((line) => line === 'got it')).toHaveLength(1);
  },
);

test('what was ignored when taut was started is ignored by the command: nohup, jobs in the background of a script', async () => {
  using sandbox = new Sandbox();
  const asked = 'sed -n "s/SigIgn:.*\\(.\\{8\\}\\)/\\1/p" /proc/self/status';
  const ignored = async (...before: string[]) => {
    await using program = new Program('sh', [
      '-c',
      `trap '' HUP INT USR2; exec "$@"`,
      'sh',
      ...before,
      'sh',
      '-c',
      asked,
    ]);
    return (await outcome(program)).out;
  };
  const plainly = await ignored();
  expect(await ignored(LAUNCHER, 'run', '--state-dir', sandbox.stateDir, '--')).toBe(plainly);
  expect(Number.parseInt(plainly, 16) & 0b100000000011).toBe(0b100000000011);
});

test.each([
  ['--optimize-timer-slack=5parsecs'],
  ['--config', '/no/such/file.yaml'],
  ['--flags', '/no/such/flags.json'],
  ['--max-overhead', 'none'],
])('%s %s is wrong usage: the command is not started', async (...options) => {
  using sandbox = new Sandbox();
  const witness = join(sandbox.dir, 'started');
  await using program = sandbox.taut('run', ...options, '--', 'touch', witness);
  expect((await outcome(program)).code).toBe(2);
  expect(existsSync(witness)).toBe(false);
});

test('so is a flag that can not be understood', async () => {
  using sandbox = new Sandbox();
  const [witness, flags] = [join(sandbox.dir, 'started'), join(sandbox.dir, 'flags.json')];
  const flag = { state: 'ENABLED', variants: { on: '10 parsecs' }, defaultVariant: 'on' };
  writeFileSync(flags, JSON.stringify({ flags: { 'taut.optimize-timer-slack': flag } }));
  await using program = sandbox.taut('run', '--flags', flags, '--', 'touch', witness);
  expect(await outcome(program)).toMatchObject({ code: 2, err: expect.stringContaining('is no timer slack') });
  expect(existsSync(witness)).toBe(false);
});

test.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_BSP_SCHEDULE_DELAY', 'OTEL_TRACES_SAMPLER', 'TAUT_WITHOUT'])(
  'so is %s that can not be understood',
  async (variable) => {
    using sandbox = new Sandbox();
    const witness = join(sandbox.dir, 'started');
    await using program = sandbox.tautWith({ [variable]: 'nonsense' }, 'run', '--', 'touch', witness);
    expect(await outcome(program)).toMatchObject({ code: 2, err: expect.stringContaining(variable) });
    expect(existsSync(witness)).toBe(false);
  },
);
