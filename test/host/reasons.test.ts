/** Every reason for which a wakeup is discarded, and everything that can be lost: made to happen, and counted. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { addon, bpfObjectPath, check, type NativeBpfObject, type NativeWakeupTracer } from '../../src/native.ts';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { ledger } from '../support/counting.ts';
import { Program } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { FIXTURES } from '../support/taut.ts';

const { layout } = addon();
const { attach: ATTACH, detach: DETACH } = layout.visit;
const waits = compiled('waits');
const flood = compiled('flood');
interface Loaded {
  readonly object: NativeBpfObject;
  readonly tracer: NativeWakeupTracer;
}
const open: Loaded[] = [];
const happened = new Set<string>();
afterEach(() => {
  for (const { object, tracer } of open.splice(0)) {
    tracer.close();
    object.close();
  }
});

function load(name: 'taut' | 'chain', programs: readonly string[] = []): Loaded {
  const object = new (addon().BpfObject)();
  const tracer = new (addon().WakeupTracer)(object);
  open.push({ object, tracer });
  check(object.open(bpfObjectPath(name)), 'open');
  check(tracer.load(false), 'load');
  for (const program of programs) check(object.attach(program), program);
  return { object, tracer };
}

/** Those that are not 0, in a ledger that adds up. */
function counters(tracer: NativeWakeupTracer | Tracer): Record<string, number> {
  const read = () =>
    'readCounters' in tracer
      ? new Map(check(tracer.readCounters(), 'read').map((n, i) => [layout.counters[i] ?? '', n]))
      : tracer.counters();
  const { seen, decided } = ledger({ counters: read });
  expect(decided).toBe(seen);
  const all = [...read()].filter(([, n]) => n > 0);
  for (const [name] of all) happened.add(name);
  return Object.fromEntries(all);
}

test('on_cpu: a timer that expires before its thread has gone to sleep ends no wait', async () => {
  using tracer = new Tracer();
  await using program = new Program(waits, ['1']);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: 'waits', createdAtMs: 0 });
  // It needs a timer that expires while its thread is on its way to sleep: rare where timers are late.
  const happens = () => (tracer.counters().get('discard_on_cpu') ?? 0) > 0;
  for (let i = 0; i < 50 && !happens(); i++) await tell(program, 'nanosleep 3000 0');
  tracer.detach(program.pid);
  expect(counters(tracer)['discard_on_cpu']).toBeGreaterThan(0);
});

test('unseen: wakeups for which no program ran show in the count of sleeps', async () => {
  await using program = await sleeper();
  const { tracer } = load('taut');
  tracer.addAgent(program.pid, 1);
  tracer.visitThreads(ATTACH, program.pid, 1, 0, 0, 0);
  await tell(program, 'sleep 100 500');
  tracer.visitThreads(DETACH, program.pid, 1, 0, 0, 0);
  expect(counters(tracer)['discard_unseen']).toBeGreaterThanOrEqual(100);
});

test('restamped, detached: a wakeup whose thread was never seen running, before the next and before the end', async () => {
  await using program = await sleeper();
  const { tracer } = load('taut', ['on_waking']);
  tracer.addAgent(program.pid, 1);
  tracer.visitThreads(ATTACH, program.pid, 1, 0, 0, 0);
  await tell(program, 'sleep 100 500');
  tracer.visitThreads(DETACH, program.pid, 1, 0, 0, 0);
  const { discard_restamped = 0, discard_detached, discard_unseen = 0 } = counters(tracer);
  expect(discard_restamped).toBeGreaterThan(0);
  expect(discard_restamped + discard_unseen).toBeGreaterThanOrEqual(99);
  expect(discard_detached).toBe(1);
});

test('no_waking: a wakeup that was begun before anybody looked', async () => {
  await using program = await sleeper();
  const { tracer } = load('taut', ['on_wakeup', 'on_switch']);
  tracer.addAgent(program.pid, 1);
  tracer.visitThreads(ATTACH, program.pid, 1, 0, 0, 0);
  await tell(program, 'sleep 100 500');
  tracer.visitThreads(DETACH, program.pid, 1, 0, 0, 0);
  const { discard_no_waking = 0, discard_unseen = 0 } = counters(tracer);
  expect(discard_no_waking).toBeGreaterThan(0);
  expect(discard_no_waking + discard_unseen).toBeGreaterThanOrEqual(99);
});

test('no_switch: a thread that had run before it was seen running', async () => {
  await using program = new Program('taskset', ['-c', '0', waits, '3']);
  await program.line(/^ready/);
  const { object, tracer } = load('taut', ['on_waking', 'on_wakeup']);
  tracer.addAgent(program.pid, 1);
  tracer.visitThreads(ATTACH, program.pid, 1, 0, 0, 0);
  const burnt = tell(program, 'burn 1 500000');
  await setTimeout(100);
  check(object.attach('on_switch'), 'on_switch');
  await burnt;
  tracer.visitThreads(DETACH, program.pid, 1, 0, 0, 0);
  expect(counters(tracer)['discard_no_switch']).toBeGreaterThan(0);
});

test('no_series: a thread of a place that has no room', async () => {
  await using program = await sleeper();
  const { tracer } = load('taut', ['on_waking', 'on_wakeup', 'on_switch']);
  tracer.visitThreads(ATTACH, program.pid, layout.maxAgents, 0, 0, 0);
  await tell(program, 'sleep 100 500');
  tracer.visitThreads(DETACH, program.pid, layout.maxAgents, 0, 0, 0);
  const { discard_no_series = 0, discard_unseen = 0, discard_on_cpu = 0 } = counters(tracer);
  expect(discard_no_series).toBeGreaterThan(0);
  expect(discard_no_series + discard_unseen + discard_on_cpu).toBeGreaterThanOrEqual(100);
});

/** Events that fit into a ring buffer: 1 MiB, of which one without a command line takes 56 bytes. */
const FIT = Math.floor(2 ** 20 / 56);

test('lost_birth, lost_end: nobody reads, and there is no room; of other kinds nothing is lost', {
  timeout: 500_000,
}, async () => {
  await using program = new Program('python3', [join(FIXTURES, 'storm.py')]);
  await program.line(/^ready/);
  const { tracer } = load('taut', ['on_fork', 'on_exec', 'on_rename', 'on_exit']);
  tracer.addAgent(program.pid, 1);
  check(tracer.visitThreads(ATTACH, program.pid, 1, 0, 0, 0), 'attach');
  await tell(program, `threads ${FIT}`); // each is born, and ends
  const { lost_birth = 0, lost_end = 0, ...others } = counters(tracer);
  expect(lost_birth + lost_end).toBeGreaterThanOrEqual(FIT - 100);
  expect(Math.min(lost_birth, lost_end)).toBeGreaterThan(0);
  expect(Object.keys(others).filter((name) => name.startsWith('lost'))).toEqual([]);
});

test('lost_exec, lost_rename: nobody reads, and there is no room', { timeout: 500_000 }, async () => {
  const { tracer } = load('taut', ['on_exec', 'on_rename']);
  for (const kind of [
    ['exec', String(FIT + 1_000)],
    ['names', String(Math.ceil(FIT / 9) + 100)],
  ]) {
    await using program = new Program(flood, kind);
    await program.line(/^done/, 240_000);
  }
  const { lost_exec = 0, lost_rename = 0 } = counters(tracer);
  expect(lost_exec).toBeGreaterThanOrEqual(1_000);
  expect(lost_rename).toBeGreaterThanOrEqual(500);
});

/** The steps of one wakeup of this very thread, run in the kernel: native/bpf/chain.bpf.c. */
function chain() {
  const { object, tracer } = load('chain');
  const field = { soft: 0n, slack: 1n, waking: 2n, wakeup: 3n, overtaken: 4n };
  const run = (step: string, value = 0n, what = 0n) => {
    check(object.testRun(step, new BigUint64Array([BigInt.asUintN(64, value), what])), step);
  };
  check(tracer.addAgent(process.pid, 1), 'series');
  return { tracer, run, set: (name: keyof typeof field, value: bigint) => run('set', value, field[name]) };
}

/** Whether anything at all is in the series. */
function isEmpty(tracer: NativeWakeupTracer): boolean {
  const words = new Uint32Array(2 * layout.series.length * layout.histogramWords);
  check(tracer.readSeries(1, words), 'read');
  return words.every((word) => word === 0);
}

test.each([
  ['runnable before it was woken', { waking: -1_000n, wakeup: -(10n ** 9n) }],
  ['running before it was runnable', { waking: -1_000n, wakeup: 10n ** 12n }],
  ['its timer before its time', { waking: -(10n ** 9n), wakeup: -1_000n, soft: 10n ** 9n }],
])('negative: %s is no duration, and none of its parts is counted', (_, instants) => {
  const { tracer, run, set } = chain();
  run('begin', 1n);
  run('be_waking');
  for (const [name, at] of Object.entries(instants)) set(name as 'waking', at);
  run('be_running');
  expect(counters(tracer)).toEqual({ wakeup_seen: 1, discard_negative: 1 });
  expect(isEmpty(tracer)).toBe(true);
});

test('out_of_range: a wakeup of more than 18 minutes is counted in none of its parts', () => {
  const { tracer, run, set } = chain();
  run('begin', 1n);
  run('be_waking');
  set('wakeup', -1_000n);
  set('waking', -(2n ** 41n));
  run('be_running');
  expect(counters(tracer)).toEqual({ wakeup_seen: 1, discard_out_of_range: 1 });
  expect(isEmpty(tracer)).toBe(true);
});

test('clock_set: the lateness of a timer whose clock was set past its time is no lateness, however long or short', () => {
  const { tracer, run, set } = chain();
  run('begin', 1n);
  for (const ns of [1_000n, 10n ** 11n]) {
    run('be_waking');
    set('overtaken', -ns);
    set('wakeup', 0n);
    run('be_running');
  }
  expect(counters(tracer)).toEqual({ wakeup_seen: 2, discard_clock_set: 2 });
  expect(isEmpty(tracer)).toBe(true);
});

test('lost_thread_state: where the kernel has no memory for a thread or a descendant, that is counted', () => {
  const { tracer, run } = chain();
  run('refuse', 1n);
  run('begin', 1n);
  run('be_waking');
  run('begin_descendant', 1n);
  expect(counters(tracer)).toEqual({ lost_thread_state: 2 });
});

test('a wakeup on its way is in no counter; a thread that comes back from a preemption meanwhile does not end it', () => {
  const { tracer, run, set } = chain();
  run('begin', 1n);
  run('be_waking');
  run('be_running'); // switched in again, between sched_waking and sched_wakeup
  expect(counters(tracer)).toEqual({});
  set('wakeup', 0n);
  run('be_running');
  expect(counters(tracer)).toEqual({ wakeup_seen: 1, wakeup_recorded: 1 });
  run('be_running'); // and again: no wakeup
  expect(counters(tracer)).toEqual({ wakeup_seen: 1, wakeup_recorded: 1 });
});

test('sampled: what is left out on purpose is counted, too', async () => {
  using tracer = new Tracer();
  await using program = await sleeper();
  tracer.attach({ pid: program.pid, name: 'sleeper', createdAtMs: 0 });
  tracer.shed({ factor: 4, detail: false });
  await tell(program, 'sleep 200 500');
  tracer.detach(program.pid);
  expect(counters(tracer)['discard_sampled']).toBeGreaterThan(0);
});

test('no counter is without its test', () => {
  expect([...happened].toSorted()).toEqual([...layout.counters].toSorted());
});
