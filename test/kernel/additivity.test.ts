/**
 * The parts of what was measured are the whole, to the nanosecond: a wakeup is recorded with all of its parts or not at
 * all, and they come from the same stamps. So nothing needs to be said of wakeups that were discarded.
 */
import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { countOf, sumOf } from '../support/counting.ts';
import { Program, setSlack } from '../support/program.ts';

const waits = compiled('waits');
const passes = compiled('passes');
const WAITS = [
  'nanosleep 200 300',
  'nanosleep 200 0',
  'epoll 5 51000',
  'timerfd 10 5000',
  'fifo 50 300',
  'nice 10 1000',
];

test.each([1, 4])(
  'the sums of the parts are the sum of the whole, for both sources, on %i threads',
  async (threads) => {
    using tracer = new Tracer();
    await using timed = new Program(waits, [String(threads)]);
    await using passing = new Program(passes, [String(threads)]);
    const programs = [timed, passing];
    for (const program of programs) {
      await program.line(/^ready/);
      tracer.attach({ pid: program.pid, name: 'parts', createdAtMs: 0 });
    }
    const passed = tell(passing, '20000');
    for (const words of WAITS) await tell(timed, words);
    setSlack(timed.pid, 1);
    for (const words of WAITS) await tell(timed, words);
    await passed;
    for (const program of programs) tracer.detach(program.pid);
    const series = tracer.collect().flatMap((snapshot) => snapshot.series);
    const sum = sumOf.bind(undefined, series);
    const count = countOf.bind(undefined, series);

    const [timer, other] = [{ source: 'timer' }, { source: 'other' }] as const;
    expect(sum('wakeup.latency', timer)).toBeGreaterThan(0n);
    expect(sum('timer.slack_use') + sum('timer.overrun')).toBe(sum('timer.lateness'));
    expect(sum('timer.lateness') + sum('wakeup.hand_over', timer) + sum('wakeup.run_queue_delay', timer)).toBe(
      sum('wakeup.latency', timer),
    );
    expect(sum('wakeup.latency', other)).toBeGreaterThan(0n);
    expect(sum('wakeup.hand_over', other) + sum('wakeup.run_queue_delay', other)).toBe(sum('wakeup.latency', other));

    for (const quantity of ['timer.lateness', 'timer.slack_use', 'timer.overrun'] as const)
      expect(count(quantity)).toBe(count('wakeup.latency', timer));
    for (const source of [timer, other])
      for (const quantity of ['wakeup.hand_over', 'wakeup.run_queue_delay'] as const)
        expect(count(quantity, source)).toBe(count('wakeup.latency', source));
    expect(count('wakeup.latency')).toBe(tracer.counters().get('wakeup_recorded'));
  },
);
