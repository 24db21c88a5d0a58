/**
 * What measuring costs those who are measured and those who are not, beside other tools and beside programs that do
 * nothing, in the same run: in turns, on one CPU, with the tool itself on another. Prints; asserts only that all ran.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { addon, bpfObjectPath, check } from '../../src/native.ts';
import { Program } from '../support/program.ts';
import { FIXTURES, LAUNCHER } from '../support/taut.ts';

const ROUNDS = Number(process.env['TAUT_BENCH_ROUNDS'] ?? 7);
const PIPE_OPERATIONS = 50_000;
/** Threads that share the CPU, so that it is never idle; the waits that each makes. */
const TIMER_THREADS = 8;
const TIMER_WAITS = 5_000;
const SETTLE_MS = 1_500;
/** Until taut, without an agent, has taken its programs from the wakeups. */
const IDLE_MS = 6_000;

const dir = mkdtempSync(join(tmpdir(), 'taut-bench-'));
afterAll(() => rmSync(dir, { recursive: true }));
const waits = join(dir, 'waits');
const cpu = availableParallelism() - 1;

/** One way of measuring. `tool` is undefined where no process runs beside. */
interface Contender {
  readonly name: string;
  start(): Promise<AsyncDisposable & { readonly tool?: Program }>;
}

const RUN_QUEUE = `
tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new { @queued[args->pid] = nsecs; }
tracepoint:sched:sched_switch {
  if (args->prev_state == 0) { @queued[args->prev_pid] = nsecs; }
  $from = @queued[args->next_pid];
  if ($from) { @us = hist((nsecs - $from) / 1000); }
  delete(@queued[args->next_pid]);
}`;

/** It needs tracefs, which is not mounted everywhere: for it alone, then. */
const BPFTRACE =
  '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace -e "$0"';

const away =
  (command: string, args: readonly string[], ready: RegExp | undefined, settleMs = SETTLE_MS) =>
  async () => {
    const tool = new Program('taskset', ['-c', '0', command, ...args]);
    if (ready) await tool.line(ready);
    await setTimeout(settleMs);
    return { tool, [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose]() };
  };

function taut(rule: string, settleMs = SETTLE_MS): Contender['start'] {
  const state = mkdtempSync(join(dir, 'state-'));
  const config = join(state, 'config.yaml');
  writeFileSync(config, `version: 1\nbuiltin: false\nrules:\n  - { id: bench, name: bench, children: all, ${rule} }\n`);
  return away(LAUNCHER, ['watch', '--state-dir', state, '--config', config], /watching/, settleMs);
}

/** The same, beside an agent that waits: what those pay who are none. */
async function elsewhere() {
  const agent = new Program('python3', [join(FIXTURES, 'sleeper.py'), 'bench-elsewhere']);
  await agent.line(/^ready/);
  const { tool, ...running } = await taut('anyArg: ["bench-elsewhere"]')();
  return {
    ...(tool ? { tool } : {}),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
    },
  };
}

const EMPTY = 'empty programs on the same tracepoints';
const ELSEWHERE = 'taut, the load is no agent, another is';
const AGENT = 'taut, the load is the agent';

const CONTENDERS: Contender[] = [
  { name: 'nothing', start: async () => ({ [Symbol.asyncDispose]: async () => {} }) },
  {
    name: EMPTY,
    start: async () => {
      const programs = new (addon().BpfObject)();
      check(programs.open(bpfObjectPath('empty')), 'open');
      check(programs.load(), 'load');
      const names = readFileSync(new URL('../../native/bpf/empty.bpf.c', import.meta.url), 'utf8');
      for (const [, name] of names.matchAll(/^NOTHING\((\w+)\)/gm)) check(programs.attach(`on_${name}`), `${name}`);
      return { [Symbol.asyncDispose]: async () => programs.close() };
    },
  },
  { name: 'taut, with no agent', start: taut('anyArg: ["no-such-agent"]', IDLE_MS) },
  { name: ELSEWHERE, start: elsewhere },
  { name: AGENT, start: taut('exe: ["*/perf", "*/perf_*", "*/waits"]') },
  { name: 'runqlat (libbpf-tools)', start: away('runqlat', ['1000'], undefined) },
  { name: 'bpftrace, run queue alone', start: away('unshare', ['-m', 'sh', '-c', BPFTRACE, RUN_QUEUE], /Attach/) },
];

/** Microseconds of an operation: two wakeups and two switches. */
function pipe(): number {
  const args = ['-c', String(cpu), 'perf', 'bench', 'sched', 'pipe', '-l', String(PIPE_OPERATIONS)];
  const text = execFileSync('taskset', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return Number(/([\d.]+) usecs\/op/.exec(text)?.[1] ?? Number.NaN);
}

/** Microseconds of CPU for a timed wait: the threads keep the CPU busy, and have no slack. */
async function timers(): Promise<number> {
  const script = `echo 1 > /proc/self/timerslack_ns; exec taskset -c ${cpu} ${waits} ${TIMER_THREADS}`;
  await using load = new Program('sh', ['-c', script]);
  await load.line(/^ready/);
  await setTimeout(100);
  const from = performance.now();
  load.say(`nanosleep ${TIMER_WAITS} 1`);
  await load.line(/^done/);
  return ((performance.now() - from) * 1_000) / (TIMER_THREADS * TIMER_WAITS);
}

interface Cost {
  readonly cpuSeconds: number;
  readonly residentKb: number;
}

function costOf(pid: number): Cost {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  const residentKb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, residentKb };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

test('what measuring costs', async () => {
  execFileSync('clang', ['-O1', '-pthread', '-o', waits, join(FIXTURES, 'waits.c')]);
  const results = new Map(
    CONTENDERS.map(({ name }) => [name, { pipe: [], timers: [], cpu: [], kb: [] } as Record<string, number[]>]),
  );
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { name, start } of CONTENDERS) {
      await using running = await start();
      const { tool } = running;
      const before = tool && costOf(tool.pid);
      const from = performance.now();
      const r = results.get(name);
      r?.['pipe']?.push(pipe());
      r?.['timers']?.push(await timers());
      if (!tool || !before) continue;
      const after = costOf(tool.pid);
      r?.['cpu']?.push(((after.cpuSeconds - before.cpuSeconds) / (performance.now() - from)) * 1e5);
      r?.['kb']?.push(after.residentKb);
    }
    process.stderr.write(`round ${round} of ${ROUNDS}\n`);
  }
  const of = (name: string, what: string) => median(results.get(name)?.[what] ?? []);
  /** Each round beside the same round with nothing: the machine may be busier in one than in another. */
  const ratios = (name: string, what: string) =>
    (results.get(name)?.[what] ?? []).map((us, i) => us / (results.get('nothing')?.[what]?.[i] ?? Number.NaN));
  const ratio = (name: string, what: string) => {
    const percent = (median(ratios(name, what)) - 1) * 100;
    return `${of(name, what).toFixed(2).padStart(6)} us ${`${percent >= 0 ? '+' : ''}${percent.toFixed(0)}%`.padStart(5)}`;
  };
  process.stderr.write(
    `${`medians of ${ROUNDS} rounds, CPU ${cpu}`.padEnd(41)}perf sched pipe   timed waits    own CPU   resident\n`,
  );
  for (const { name } of CONTENDERS) {
    const own = Number.isNaN(of(name, 'kb'))
      ? ''
      : `${of(name, 'cpu').toFixed(1).padStart(6)} %  ${(of(name, 'kb') / 1024).toFixed(0).padStart(6)} MiB`;
    process.stderr.write(`${name.padEnd(41)}${ratio(name, 'pipe')}  ${ratio(name, 'timers')}  ${own}\n`);
    expect(of(name, 'pipe')).toBeGreaterThan(0);
  }
  for (const name of [ELSEWHERE, AGENT])
    for (const what of ['pipe', 'timers'])
      process.stderr.write(
        `empty programs are ${(of(name, what) - of(EMPTY, what)).toFixed(2)} us an operation below "${name}" (${what})\n`,
      );
});
