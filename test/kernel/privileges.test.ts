/** What taut says and still does where a privilege or a kernel feature is missing. */
import { chmodSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../src/cli/capabilities.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { ofThreads, Program, slacks } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';
import { finished, pidOf, WAITING } from '../support/waiting.ts';

interface Doctor {
  readonly measure: boolean;
  readonly tune: boolean;
  readonly mode: string;
  readonly checks: { readonly name: string; readonly ok: boolean; readonly mend: string }[];
}

/** The program in a smaller world: `world` is a command that runs the rest of its arguments. */
function inWorld(sandbox: Sandbox, world: readonly string[], ...args: string[]): Program {
  const [command = '', ...rest] = world;
  return new Program(command, [...rest, LAUNCHER, ...args, '--state-dir', `${sandbox.dir}/state`]);
}

const WITHOUT_NICE = ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--'];
const WITHOUT_ROOT = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
const WITHOUT_BTF = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh'];

async function doctor(sandbox: Sandbox, world: readonly string[]): Promise<{ code: number; document: Doctor }> {
  await using program = inWorld(sandbox, world, 'doctor', '--json');
  const code = await program.ended;
  return { code, document: JSON.parse(program.lines.join('\n')) as Doctor };
}

const missing = ({ checks }: Doctor) => checks.filter((c) => !c.ok).map((c) => c.name);

test('doctor finds everything in order on this host, and names what is missing in smaller worlds', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o1777);
  expect(await doctor(sandbox, ['env'])).toMatchObject({ code: 0, document: { measure: true, tune: true } });
  const nice = await doctor(sandbox, WITHOUT_NICE);
  expect(nice).toMatchObject({ code: 3, document: { measure: true, tune: false } });
  expect(missing(nice.document)).toEqual(['CAP_SYS_NICE', 'raising a priority']);
  const btf = await doctor(sandbox, WITHOUT_BTF);
  expect(btf).toMatchObject({ code: 3, document: { measure: false, tune: true } });
  expect(missing(btf.document)).toEqual(['BTF', 'kernel tracer', 'names and connections']);
  using fresh = new Sandbox();
  chmodSync(fresh.dir, 0o1777);
  const root = await doctor(fresh, WITHOUT_ROOT);
  expect(root).toMatchObject({ code: 3, document: { measure: false, tune: false } });
  expect(missing(root.document)).toContain('CAP_BPF');
  for (const check of root.document.checks.filter((c) => !c.ok)) expect(check.mend, check.name).not.toBe('');
});

test('without root, and where the kernel counts no waiting, it says in one sentence that there is nothing that it can do', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o1777);
  await using program = inWorld(sandbox, ['env', 'TAUT_WITHOUT=schedstat', ...WITHOUT_ROOT], 'watch');
  expect(await program.ended).toBe(3);
  expect(program.errors.filter((line) => line.includes('not measuring'))).toHaveLength(1);
  expect(program.errors.join('\n')).toContain('run taut as root');
});

test('without BTF it does not measure, says so once, and tunes what it was told to', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = inWorld(sandbox, WITHOUT_BTF, 'watch', '--config', sandbox.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  expect(slacks(agent.pid)).toEqual([1]);
  taut.child.kill('SIGTERM');
  expect(await taut.ended).toBe(1);
  expect(taut.errors.filter((line) => line.includes('BTF'))).toHaveLength(1);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('without CAP_SYS_NICE it measures, and says once that it can not tune', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using _other = await sleeper(sandbox);
  await using taut = inWorld(sandbox, WITHOUT_NICE, 'watch', '--config', sandbox.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  agent.say('sleep 50 500');
  await agent.line(/^done/);
  taut.child.kill('SIGTERM');
  expect(await taut.ended).toBe(1);
  expect(taut.errors.filter((line) => line.includes('CAP_SYS_NICE'))).toHaveLength(1);
  expect(sandbox.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

/** As a container without the host's PID namespace. What it starts is process 1 there. */
const OWN_PID_NAMESPACE = ['unshare', '--pid', '--mount-proc', '--fork', '--kill-child'];

test('in a PID namespace of its own it says so once, and finds, tunes and puts back what /proc shows there', async () => {
  using sandbox = new Sandbox();
  const seen = await doctor(sandbox, OWN_PID_NAMESPACE);
  expect(seen).toMatchObject({ code: 3, document: { measure: false, tune: true, mode: 'schedstat' } });
  expect(missing(seen.document)).toEqual(['PID namespace', 'kernel tracer', 'names and connections']);

  const agentIn = `python3 -c 'import time; time.sleep(1000)' ${sandbox.mark}`;
  const taut = sandbox.watchCommand('--optimize-timer-slack');
  const [unshare = '', ...options] = OWN_PID_NAMESPACE;
  await using container = new Program(unshare, [
    ...options,
    'sh',
    '-c',
    `${agentIn} & "$@" & wait; wait`,
    'sh',
    ...taut,
  ]);
  await container.line(/tuned 1 of 1 threads/);
  await container.line(/watching/);
  const inside = childrenOf(childrenOf(container.pid)[0] ?? 0);
  const one = (word: string) =>
    inside.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word)) ?? 0;
  expect(slacks(one('time.sleep'))).toEqual([1]);
  expect(container.errors.filter((line) => line.includes('PID namespace'))).toHaveLength(1);
  process.kill(one('watch'), 'SIGTERM');
  await container.line(/put back 1 of 1 threads/);
  expect(slacks(one('time.sleep'))).toEqual([50_000]);

  const run = [LAUNCHER, 'run', '--state-dir', sandbox.stateDir, '--optimize-timer-slack', '--', ...WAITING];
  await using command = new Program(unshare, [...options, ...run]);
  await pidOf(command);
  await command.line(/tuned 1 of 1 threads/);
  expect(await finished(command)).toBe(7);
});

test('does everything as another user with exactly the four capabilities that measuring and tuning need', async () => {
  using sandbox = new Sandbox();
  chmodSync(sandbox.dir, 0o1777);
  await using agent = await sleeper(sandbox);
  const four = '-all,+sys_nice,+bpf,+perfmon,+sys_ptrace';
  const caps = [`--inh-caps=${four}`, `--ambient-caps=${four}`, `--bounding-set=${four}`];
  const world = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...caps, '--'];
  await using taut = inWorld(sandbox, world, 'watch', '--config', sandbox.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  expect(slacks(agent.pid)).toEqual([1]);
  agent.say('sleep 50 500');
  await agent.line(/^done/);
  taut.child.kill('SIGTERM');
  expect(await taut.ended).toBe(0);
  expect(sandbox.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('started by root, gives up every capability that it does not use, in every thread', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch();
  const used = Object.values(CAPABILITIES).reduce((mask, { bit }) => mask | (1n << BigInt(bit)), 0n);
  for (const { tid, text: status } of ofThreads(taut.pid, 'status')) {
    for (const set of ['CapEff', 'CapPrm', 'CapBnd'])
      expect(BigInt(`0x${new RegExp(`${set}:\\t(\\w+)`).exec(status)?.[1]}`) & ~used, `${set} of ${tid}`).toBe(0n);
  }
});
