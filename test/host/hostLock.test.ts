/** One taut tunes on a host: whoever runs it, and in whatever container. Here a time namespace is the host that they share. */
import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** Without the lock that the tests of this copy have. */
const { TAUT_HOST_LOCK: _, ...ENV } = process.env;

/** A host of its own, as far as the lock of all who tune is concerned. */
class Host implements AsyncDisposable {
  readonly #holder: Program;

  private constructor(holder: Program) {
    this.#holder = holder;
  }

  static async make(): Promise<Host> {
    const holder = new Program('unshare', ['--time', 'sh', '-c', 'echo ready; exec sleep 1000']);
    await holder.line(/^ready/);
    return new Host(holder);
  }

  run(...command: readonly string[]): Program {
    const clocks = `--time=/proc/${this.#holder.pid}/ns/time_for_children`;
    return new Program('nsenter', [clocks, ...command], ENV, '/');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder[Symbol.asyncDispose]();
  }
}

/** What a container has of its own; its processes are the host's, as with `--pid=host`. */
const CONTAINER = [
  'unshare',
  '--mount',
  '--net',
  '--ipc',
  '--uts',
  '--',
  'sh',
  '-c',
  'mount -t tmpfs none /run && exec "$@"',
  'sh',
];
/** The same, and its processes are its own. */
const POD = [
  'unshare',
  '--mount',
  '--net',
  '--ipc',
  '--uts',
  '--pid',
  '--fork',
  '--mount-proc',
  '--',
  'sh',
  '-c',
  'mount -t tmpfs none /run && exec "$@"',
  'sh',
];
const CAPS = ['sys_nice', 'bpf', 'perfmon', 'net_admin', 'sys_ptrace', 'dac_read_search', 'sys_admin']
  .map((cap) => `+${cap}`)
  .join();
const OTHER = [
  'setpriv',
  '--reuid=4242',
  '--regid=4242',
  '--clear-groups',
  `--inh-caps=${CAPS}`,
  `--ambient-caps=${CAPS}`,
  '--',
  'env',
  '-u',
  'XDG_RUNTIME_DIR',
];
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];

const TUNED = '--optimize-timer-slack=10us';

async function watching(host: Host, sandbox: Sandbox, ...world: readonly string[]): Promise<Program> {
  const taut = host.run(...world, ...sandbox.watchCommand(TUNED));
  await taut.line(/watching/);
  return taut;
}

test.each<[string, readonly string[], RegExp]>([
  ['in a container with a /run of its own', CONTAINER, /process \d+ tunes on this host/],
  ['in a container that does not see the first one', POD, /a process that is not seen from here tunes on this host/],
  ['of another user', OTHER, /process \d+ tunes on this host/],
])('a second taut %s does not tune what the first one tunes, and the original comes back', async (_, world, why) => {
  await using host = await Host.make();
  using first = new Sandbox();
  using second = new Sandbox();
  chmodSync(second.dir, 0o1777); // it makes its state directory there
  await using agent = await sleeper(first);
  await using taut = await watching(host, first);
  await until('it is tuned', () => slacks(agent.pid)[0] === 10_000);
  const options = ['--config', first.config, '--state-dir', second.stateDir, '--optimize-timer-slack'];
  chmodSync(first.dir, 0o755);
  chmodSync(first.config, 0o644);
  await using other = host.run(...world, 'env', `TMPDIR=${second.dir}`, LAUNCHER, 'watch', ...options);
  await other.line(why);
  const { code, err } = await outcome(other);
  expect(code, err).toBe(1);
  expect(slacks(agent.pid)).toEqual([10_000]);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('a command of taut run in a container is not tuned while a taut outside tunes, and runs', async () => {
  await using host = await Host.make();
  using sandbox = new Sandbox();
  await using _taut = await watching(host, sandbox);
  await using run = host.run(
    ...POD,
    'env',
    `TAUT_STATE_DIR=${sandbox.dir}/inside`,
    LAUNCHER,
    'run',
    '--optimize-timer-slack',
    '--',
    'cat',
    '/proc/self/timerslack_ns',
  );
  const { code, out, err } = await outcome(run);
  expect([code, out], err).toEqual([0, '50000']);
  expect(err).toMatch(/not tuning: a process that is not seen from here tunes on this host/);
});

test('two commands of taut run are tuned at once, in a container and outside', async () => {
  await using host = await Host.make();
  using sandbox = new Sandbox();
  const waits = ['sh', '-c', 'read line'];
  const run = (dir: string, ...world: string[]) =>
    host.run(
      ...world,
      'env',
      `TAUT_STATE_DIR=${sandbox.dir}/${dir}`,
      LAUNCHER,
      'run',
      '--optimize-timer-slack',
      '--',
      ...waits,
    );
  await using outside = run('outside');
  await outside.line(/tuned 1 of 1 threads/);
  await using inside = run('inside', ...CONTAINER);
  await inside.line(/tuned 1 of 1 threads/);
  for (const program of [outside, inside]) {
    program.say('');
    expect(await program.ended, program.errors.join('\n')).toBe(0);
  }
});

test.each<[string, readonly string[]]>([
  ['a user', NOBODY],
  ['a user who is root in a namespace of their own', [...NOBODY, 'unshare', '--user', '--map-root-user']],
])('%s who keeps the lock keeps nobody from tuning, and is named', async (_, world) => {
  await using host = await Host.make();
  using sandbox = new Sandbox();
  await using stranger = host.run(
    ...world,
    'flock',
    '--no-fork',
    '--exclusive',
    '/proc/self/ns/time',
    'sh',
    '-c',
    'echo held; exec sleep 1000',
  );
  await stranger.line(/^held/);
  await using agent = await sleeper(sandbox);
  await using taut = await watching(host, sandbox);
  await until('it is tuned', () => slacks(agent.pid)[0] === 10_000);
  expect(
    taut.errors.filter((line) => /process \d+ of user 65534 keeps the lock of all who tune/.test(line)),
  ).toHaveLength(1);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('doctor says where a taut that tunes can not be asked, and that nothing can be tuned there; beside it all is well', async () => {
  await using host = await Host.make();
  using sandbox = new Sandbox();
  const doctor = async (...world: readonly string[]) => {
    const words = [...world, LAUNCHER, 'doctor', '--json', '--state-dir', `${sandbox.dir}/asks`];
    await using program = host.run(...words);
    const { tune, checks } = JSON.parse((await outcome(program)).out) as {
      tune: boolean;
      checks: { name: string; ok: boolean; detail: string }[];
    };
    return { tune, ...checks.find(({ name }) => name === 'other tauts') };
  };
  expect(await doctor(...POD)).toMatchObject({ tune: true, ok: true, detail: 'none is in the way' });
  await using taut = await watching(host, sandbox);
  expect(await doctor()).toMatchObject({
    tune: true,
    ok: true,
    detail: `process ${taut.pid} tunes on this host, and takes over what taut run starts`,
  });
  for (const world of [CONTAINER, POD]) {
    const found = await doctor(...world);
    expect(found).toMatchObject({
      tune: false,
      ok: false,
      detail: expect.stringContaining("can't be asked from here"),
    });
  }
  expect(await taut.stop()).toBe(0);
});
