/** What misleads tracers of wakeups: KERNEL facts, each with the wrong number that it would give. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { counted, countOf, leftOut, untimed } from '../support/counting.ts';
import { Program, switches, until } from '../support/program.ts';
import { FIXTURES } from '../support/taut.ts';

const waits = compiled('waits');
const burners = (threads: number) => new Program('taskset', ['-c', '0', waits, String(threads)]);
const series = (tracer: Tracer, pid: number) => tracer.snapshot(pid)?.series ?? [];

test('a thread that is preempted and comes back was not woken', async () => {
  using tracer = new Tracer();
  await using program = burners(3);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: 'burners', createdAtMs: 0 });
  const before = switches(program.pid);
  let [preempted, slept] = [0, 0];
  // How often the scheduler preempts is its own business: as long as it takes.
  await until('there were more preemptions than sleeps', async () => {
    await tell(program, 'burn 1 300000');
    const after = switches(program.pid);
    preempted = after.preempted - before.preempted;
    slept = after.voluntary - before.voluntary;
    return preempted > slept + 10;
  });
  expect(countOf(series(tracer, program.pid), 'wakeup.run_queue_delay')).toBeLessThanOrEqual(slept + 10);
});

test('the timers of one batch are each as late as their own handler, not as the first', async () => {
  using tracer = new Tracer();
  await using program = burners(16);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: 'batch', createdAtMs: 0 });
  await tell(program, 'instant 1 20000');
  const lateness = series(tracer, program.pid).filter(({ quantity }) => quantity === 'timer.lateness');
  const [{ histogram } = { histogram: undefined }] = lateness;
  expect((histogram?.count ?? 0) + untimed(tracer, series(tracer, program.pid))).toBeGreaterThanOrEqual(16);
  expect(histogram?.maxNs).toBeGreaterThan(histogram?.minNs ?? 0n);
  expect(counted(tracer, /^discard_negative$/)).toBe(0);
});

test.each(['realtime', 'boottime', 'tai'])('a timer of the clock %s is late by its own clock', async (clock) => {
  using tracer = new Tracer();
  await using program = new Program(waits, ['2']);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: clock, createdAtMs: 0 });
  await tell(program, `${clock} 20 5000`);
  const lateness = series(tracer, program.pid).filter(({ quantity }) => quantity === 'timer.lateness');
  expect(lateness.reduce((sum, { histogram }) => sum + histogram.count, 0)).toBeGreaterThan(0);
  // The clocks are seconds and years apart; a wait is not a second late.
  for (const { histogram } of lateness) expect(histogram.maxNs).toBeLessThan(10n ** 9n);
  expect(counted(tracer, /^discard_(negative|out_of_range)$/)).toBe(0);
});

test('a thread that is woken by the network while a soft timer runs was not woken by a timer', async () => {
  using tracer = new Tracer();
  await using program = new Program('python3', [`${FIXTURES}/paced.py`]);
  await program.line(/^ready/);
  const receiver = Number((await program.line(/^receiver/)).split(' ')[1]);
  tracer.attach({ pid: receiver, name: 'receiver', createdAtMs: 0 });
  await tell(program, 'send 200000');
  const of = (source: 'timer' | 'other') => countOf(series(tracer, receiver), 'wakeup.latency', { source });
  expect(of('other')).toBeGreaterThan(10);
  expect(of('timer')).toBe(0);
});

test('a real-time thread is not tuned because its slack is 0, and its original is what it will have again', async () => {
  using tracer = new Tracer();
  await using program = new Program('chrt', ['-f', '1', 'python3', `${FIXTURES}/sleeper.py`]);
  await program.line(/^ready/);
  tracer.attach({ pid: program.pid, name: 'fifo', createdAtMs: 0 });
  await tell(program, 'sleep 20 500');
  const asFifo = series(tracer, program.pid);
  expect(countOf(asFifo, 'wakeup.latency', { tuned: true })).toBe(0);
  expect(countOf(asFifo, 'timer.lateness', { slackClass: 'none' })).toBeGreaterThan(0);
  execFileSync('chrt', ['-o', '-p', '0', String(program.pid)]);
  await tell(program, 'sleep 20 500');
  const asOther = series(tracer, program.pid);
  expect(countOf(asOther, 'timer.lateness', { slackClass: 'reachable', tuned: false })).toBeGreaterThan(0);
  expect(countOf(asOther, 'wakeup.latency', { tuned: true })).toBe(0);
});

test('threads that are made while their process is being attached are all measured', async () => {
  await using program = new Program('python3', [`${FIXTURES}/storm.py`]);
  await program.line(/^ready/);
  const storm = tell(program, 'threads 3000');
  using tracer = new Tracer();
  tracer.attach({ pid: program.pid, name: 'storm', createdAtMs: 0 });
  await storm;
  await tell(program, 'reap');
  // What is left, and what comes: a thread without state would sleep unseen.
  const before = countOf(series(tracer, program.pid), 'timer.lateness');
  await tell(program, 'threads 200');
  await tell(program, 'reap');
  tracer.detach(program.pid);
  const after = countOf(tracer.collect()[0]?.series ?? [], 'timer.lateness');
  expect(after - before + leftOut(tracer)).toBeGreaterThanOrEqual(200);
});
