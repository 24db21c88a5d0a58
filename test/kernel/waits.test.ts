/** Every kind of timed wait, as many as were made, in the class that the timer itself tells, before and after tuning. */
import { expect, test } from 'vitest';
import { Tracer } from '../../src/tracer/tracer.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { madeByClass, missingByClass, timersByClass, untimed } from '../support/counting.ts';
import { Program, setSlack } from '../support/program.ts';

const waits = compiled('waits');

interface Kind {
  readonly kind: string;
  readonly us: number;
  readonly times: number;
  /** Where a wait of it counts while the slack is 50 us, and while it is 1 ns; undefined: in no timer's series. */
  readonly asFound: string | undefined;
  readonly tuned: string | undefined;
}

const reachable = { asFound: 'reachable', tuned: 'reachable tuned' };
const beyond = { asFound: 'beyond', tuned: 'beyond' };
const none = { asFound: 'none', tuned: 'none' };

const KINDS: Kind[] = [
  { kind: 'nanosleep', us: 300, times: 100, ...reachable },
  { kind: 'realtime', us: 2_000, times: 20, ...reachable },
  { kind: 'boottime', us: 2_000, times: 20, ...reachable },
  { kind: 'tai', us: 2_000, times: 20, ...reachable },
  { kind: 'futex', us: 300, times: 100, ...reachable },
  { kind: 'sigtimedwait', us: 300, times: 100, ...reachable },
  { kind: 'select', us: 1_000, times: 50, ...reachable },
  { kind: 'poll', us: 1_000, times: 50, ...reachable },
  { kind: 'epoll', us: 1_000, times: 50, ...reachable },
  { kind: 'epoll', us: 20_000, times: 10, ...reachable },
  { kind: 'epoll', us: 49_000, times: 10, ...reachable },
  { kind: 'epoll', us: 51_000, times: 10, ...beyond },
  { kind: 'epoll', us: 200_000, times: 3, ...beyond },
  { kind: 'nice', us: 1_000, times: 50, ...reachable },
  { kind: 'nice', us: 20_000, times: 10, ...beyond },
  // Long, so that it has not expired before it is waited for.
  { kind: 'timerfd', us: 10_000, times: 10, ...none },
  { kind: 'fifo', us: 300, times: 100, ...none },
  { kind: 'receive', us: 8_000, times: 10, asFound: undefined, tuned: undefined },
];

for (const threads of [1, 4])
  test.each(KINDS)(`$times of $kind of $us us, on ${threads} threads`, async ({ kind, us, times, asFound, tuned }) => {
    using tracer = new Tracer();
    await using program = new Program(waits, [String(threads)]);
    await program.line(/^ready/);
    tracer.attach({ pid: program.pid, name: kind, createdAtMs: 0 });
    await tell(program, `${kind} ${times} ${us}`);
    setSlack(program.pid, 1);
    await tell(program, `${kind} ${times} ${us}`);
    tracer.detach(program.pid);
    const [{ series } = { series: [] }] = tracer.collect();
    const made = madeByClass(times * threads, asFound, tuned);
    const counted = timersByClass(series);
    expect(Object.keys(counted).toSorted()).toEqual(Object.keys(made).toSorted());
    const missing = missingByClass(made, counted);
    expect(Math.min(...missing, 0)).toBe(0);
    expect(missing.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(untimed(tracer, series));
  });
