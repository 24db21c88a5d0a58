/** What taut says and still does where a privilege or a kernel feature is missing. */
import { chmodSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../src/cli/capabilities.ts';
import { Program, slacks, threadIds } from '../support/program.ts';
import { Bench, LAUNCHER } from '../support/taut.ts';

interface Doctor {
  readonly measure: boolean;
  readonly tune: boolean;
  readonly checks: { readonly name: string; readonly ok: boolean; readonly mend: string }[];
}

/** The program in a smaller world: `world` is a command that runs the rest of its arguments. */
function inWorld(bench: Bench, world: readonly string[], ...args: string[]): Program {
  const [command = '', ...rest] = world;
  return new Program(command, [...rest, LAUNCHER, ...args, '--state-dir', `${bench.dir}/state`]);
}

const WITHOUT_NICE = ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--'];
const WITHOUT_ROOT = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
const WITHOUT_BTF = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh'];

async function doctor(bench: Bench, world: readonly string[]): Promise<{ code: number; document: Doctor }> {
  await using program = inWorld(bench, world, 'doctor', '--json');
  const code = await program.ended;
  return { code, document: JSON.parse(program.lines.join('\n')) as Doctor };
}

const missing = ({ checks }: Doctor) => checks.filter((c) => !c.ok).map((c) => c.name);

test('doctor finds everything in order on this host, and names what is missing in smaller worlds', async () => {
  using bench = new Bench();
  chmodSync(bench.dir, 0o1777);
  expect(await doctor(bench, ['env'])).toMatchObject({ code: 0, document: { measure: true, tune: true } });
  const nice = await doctor(bench, WITHOUT_NICE);
  expect(nice).toMatchObject({ code: 3, document: { measure: true, tune: false } });
  expect(missing(nice.document)).toEqual(['CAP_SYS_NICE']);
  const btf = await doctor(bench, WITHOUT_BTF);
  expect(btf).toMatchObject({ code: 3, document: { measure: false, tune: true } });
  expect(missing(btf.document)).toEqual(['BTF', 'kernel tracer', 'names and connections']);
  using fresh = new Bench();
  chmodSync(fresh.dir, 0o1777);
  const root = await doctor(fresh, WITHOUT_ROOT);
  expect(root).toMatchObject({ code: 3, document: { measure: false, tune: false } });
  expect(missing(root.document)).toContain('CAP_BPF');
  for (const check of root.document.checks.filter((c) => !c.ok)) expect(check.mend, check.name).not.toBe('');
});

test('without root, and where the kernel counts no waiting, it says in one sentence that there is nothing that it can do', async () => {
  using bench = new Bench();
  chmodSync(bench.dir, 0o1777);
  await using program = inWorld(bench, ['env', 'TAUT_WITHOUT=schedstat', ...WITHOUT_ROOT], 'watch');
  expect(await program.ended).toBe(3);
  expect(program.errors.filter((line) => line.includes('not measuring'))).toHaveLength(1);
  expect(program.errors.join('\n')).toContain('run taut as root');
});

test('without BTF it does not measure, says so once, and tunes what it was told to', async () => {
  using bench = new Bench();
  await using agent = bench.python('sleeper.py');
  await agent.line(/^ready/);
  await using taut = inWorld(bench, WITHOUT_BTF, 'watch', '--config', bench.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  expect(slacks(agent.pid)).toEqual([1]);
  taut.child.kill('SIGTERM');
  expect(await taut.ended).toBe(1);
  expect(taut.errors.filter((line) => line.includes('BTF'))).toHaveLength(1);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('without CAP_SYS_NICE it measures, and says once that it can not tune', async () => {
  using bench = new Bench();
  await using agent = bench.python('sleeper.py');
  await agent.line(/^ready/);
  await using other = bench.python('sleeper.py');
  await other.line(/^ready/);
  await using taut = inWorld(bench, WITHOUT_NICE, 'watch', '--config', bench.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  agent.say('sleep 50 500');
  await agent.line(/^done/);
  taut.child.kill('SIGTERM');
  expect(await taut.ended).toBe(1);
  expect(taut.errors.filter((line) => line.includes('CAP_SYS_NICE'))).toHaveLength(1);
  expect(bench.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('does everything as another user with exactly the four capabilities that measuring and tuning need', async () => {
  using bench = new Bench();
  chmodSync(bench.dir, 0o1777);
  await using agent = bench.python('sleeper.py');
  await agent.line(/^ready/);
  const four = '-all,+sys_nice,+bpf,+perfmon,+sys_ptrace';
  const caps = [`--inh-caps=${four}`, `--ambient-caps=${four}`, `--bounding-set=${four}`];
  const world = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...caps, '--'];
  await using taut = inWorld(bench, world, 'watch', '--config', bench.config, '--optimize-timer-slack');
  await taut.line(/watching/);
  expect(slacks(agent.pid)).toEqual([1]);
  agent.say('sleep 50 500');
  await agent.line(/^done/);
  taut.child.kill('SIGTERM');
  expect(await taut.ended).toBe(0);
  expect(bench.lastCount('taut.timer.lateness')).toBeGreaterThan(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test('started by root, gives up every capability that it does not use, in every thread', async () => {
  using bench = new Bench();
  await using taut = await bench.watch();
  const used = Object.values(CAPABILITIES).reduce((mask, { bit }) => mask | (1n << BigInt(bit)), 0n);
  for (const tid of threadIds(taut.pid)) {
    const status = readFileSync(`/proc/${taut.pid}/task/${tid}/status`, 'latin1');
    for (const set of ['CapEff', 'CapPrm', 'CapBnd'])
      expect(BigInt(`0x${new RegExp(`${set}:\\t(\\w+)`).exec(status)?.[1]}`) & ~used, `${set} of ${tid}`).toBe(0n);
  }
});
