/** What is said of an agent when a command ends: five lines that somebody understands who knows nothing of schedulers. */
import { expect, test } from 'vitest';
import type { AgentEvent, AgentStatus } from '../../src/agents/status.ts';
import { type Delay, type Waits, waitsOf } from '../../src/agents/waits.ts';
import { describeWaits, Waited, waitsInShort } from '../../src/cli/waited.ts';
import type { ExpHistogram, Series } from '../../src/tracer/series.ts';
import { roughly } from '../../src/util/roughly.ts';

const NOTHING = { count: 0, p50: null, p99: null };
/** Of which slack delays these. */
const timers = (found: Delay = NOTHING, tuned: Delay = NOTHING) => ({
  lateness: { count: 600, p50: 0.9e-6, p99: 8e-6 },
  reachable: { found, tuned },
});
const IN_TIME: Waits = {
  seconds: 60,
  wakeups: 1_200,
  timers: timers(),
  runQueue: { count: 1_200, p50: 7e-6, p99: 80e-6, seconds: 0.02 },
};
const SLACK = { id: 'timer_slack_ns', target: null, gate: { value: null, reason: '' }, threads: {} };

function status(waits: Waits | null, targets: Readonly<Record<string, number>> = {}): AgentStatus {
  const knobs = Object.entries(targets).map(([id, target]) => ({ ...SLACK, id, target }));
  return { pid: 42, name: 'claude', rule: 'r', attachPath: 'exec', ...SLACK, knobs, waits } as unknown as AgentStatus;
}

test('an agent that was woken in time', () => {
  expect(describeWaits(status(IN_TIME))).toEqual([
    'claude (42) was woken 1,200 times in 1 min, 20 times a second',
    '  of its 600 timers half fired within 900 ns, 99% within 8 us of the time that it had asked for',
    '  then half of its wakeups had a CPU within 7 us, 99% within 80 us; it waited 20 ms in all threads together',
    '  nothing of it was changed',
    '  there is nothing to mend: it was woken in time',
  ]);
});

test('one whose timers slack delays, and that waits for a CPU, is told what helps against each', () => {
  const found = { count: 500, p50: 52e-6, p99: 58e-6 };
  const runQueue = { count: 1_200, p50: 7e-6, p99: 0.023, seconds: 12 };
  const [last = ''] = describeWaits(status({ ...IN_TIME, timers: timers(found), runQueue })).slice(-1);
  expect(last).toMatch(/^ {2}what would help: --optimize-\S+.*: other programs kept it from a CPU; /);
  expect(last).toMatch(/; --optimize-timer-slack: 500 of its timers would fire up to 52 us sooner$/);
});

test('a few wakeups are no reason to change anything', () => {
  const runQueue = { count: 99, p50: 7e-6, p99: 0.023, seconds: 12 };
  expect(describeWaits(status({ ...IN_TIME, wakeups: 99, runQueue })).at(-1)).toBe(
    '  these are too few to say what would help',
  );
});

test('what was changed is said with what came of it, and not advised again', () => {
  const both = timers({ count: 500, p50: 52e-6, p99: 58e-6 }, { count: 100, p50: 5.3e-6, p99: 9e-6 });
  const lines = describeWaits(status({ ...IN_TIME, timers: both }, { timer_slack_ns: 1 }));
  expect(lines.slice(3)).toEqual([
    '  taut changed its timer slack 1 ns: half of the timers that slack delays fired within 52 us before, 5.3 us since',
    '  there is nothing to mend: it was woken in time',
  ]);
});

test('an agent that no timer woke, and one that was not measured', () => {
  const none = { ...timers(), lateness: NOTHING };
  expect(describeWaits(status({ ...IN_TIME, timers: none }))[1]).toBe(
    '  no timer woke it, so timer slack is nothing to it',
  );
  expect(describeWaits(status({ ...IN_TIME, timers: null }))[1]).toBe(
    '  how late its timers fired can not be measured here',
  );
  expect([describeWaits(status(null)), describeWaits(status({ ...IN_TIME, wakeups: 0 }))]).toEqual([[], []]);
});

test('status has it in one line', () => {
  const found = { count: 300, p50: 52e-6, p99: 58e-6 };
  expect(waitsInShort(status({ ...IN_TIME, timers: timers(found) }))).toEqual([
    '20 wakeups/s, slack reaches 25% of them; timers late: p50 900 ns, p99 8 us; waiting for a CPU: p50 7 us, p99 80 us',
  ]);
  expect(waitsInShort(status({ ...IN_TIME, timers: null }))[0]).toMatch(/^20 wakeups\/s; waiting for a CPU: /);
  expect([waitsInShort(status(null)), waitsInShort(status({ ...IN_TIME, wakeups: 0 }))]).toEqual([[], []]);
});

const event = (event: AgentEvent['event'], agent: AgentStatus): AgentEvent => ({ at: '', event, agent });

test('an agent that is put back when taut lets it go is told of as it was until then', () => {
  const waited = new Waited();
  waited.hear(event('attach', status(IN_TIME, { timer_slack_ns: 1 })));
  waited.hear(event('release', status(IN_TIME)));
  expect(waited.lines()[3]).toBe('  taut changed its timer slack 1 ns');
});

test('of many agents those are told of that were woken most, and the others are counted', () => {
  const waited = new Waited();
  for (let pid = 1; pid <= 1_100; pid++) waited.hear(event('end', { ...status({ ...IN_TIME, wakeups: pid }), pid }));
  const lines = waited.lines();
  expect(lines).toHaveLength(16);
  expect(lines.filter((line) => /^claude/.test(line)).map((line) => /\((\d+)\)/.exec(line)?.[1])).toEqual([
    '1000',
    '999',
    '998',
  ]);
  expect(lines.at(-1)).toMatch(/^and 1097 more agents/);
});

const one = (ns: number, count: number): ExpHistogram => ({
  ...{ scale: 3, zeroCount: 0, count, buckets: [count], offset: Math.ceil(8 * Math.log2(ns / 1e9)) - 1 },
  ...{ sumNs: BigInt(count * ns), minNs: BigInt(ns), maxNs: BigInt(ns) },
});

test('the numbers come from all series of an agent, and sampled ones count for those that were left out', () => {
  const splits = { source: undefined, slackClass: undefined, tuned: undefined };
  const series: Series[] = [
    { ...splits, quantity: 'wakeup.run_queue_delay', histogram: one(7_000, 10) },
    { ...splits, quantity: 'wakeup.run_queue_delay', histogram: one(7_000, 5), shed: { factor: 4, detail: true } },
    { ...splits, quantity: 'timer.lateness', slackClass: 'reachable', tuned: false, histogram: one(50_000, 3) },
    { ...splits, quantity: 'timer.lateness', slackClass: 'reachable', tuned: true, histogram: one(5_000, 2) },
    { ...splits, quantity: 'timer.lateness', slackClass: 'none', tuned: false, histogram: one(900_000, 1) },
  ];
  const snapshot = { pid: 1, name: 'a', createdAtMs: 0, attachedAtMs: 1_000, series };
  const waits = waitsOf(snapshot, 3_000);
  expect(waits).toMatchObject({ seconds: 2, wakeups: 30, timers: { lateness: { count: 6 } }, runQueue: { count: 30 } });
  expect(waits.runQueue.seconds).toBeCloseTo(30 * 7e-6, 12);
  const { found, tuned } = waits.timers?.reachable ?? {};
  expect([found?.count, tuned?.count]).toEqual([3, 2]);
  expect(found?.p50).toBeGreaterThan(45e-6);
  expect(tuned?.p50).toBeLessThan(5.5e-6);
  expect(waitsOf(snapshot, 3_000, false).timers).toBeNull();
});

test.each([
  [0, '0 ns'],
  [7.14e-6, '7.1 us'],
  [999e-6, '1 ms'],
  [0.0234, '23 ms'],
  [9.96, '10 s'],
  [725, '12 min'],
  [7_300, '2 h'],
])('%d seconds are roughly %s', (seconds, text) => {
  expect(roughly(seconds)).toBe(text);
});
