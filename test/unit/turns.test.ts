/** Turns by themselves: what a marker may say, what lies between two snapshots, and the bounds. No kernel. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { turnMarker } from '../../src/agents/turnMarker.ts';
import { Turns } from '../../src/agents/turns.ts';
import { since, turnWaits } from '../../src/agents/turnWaits.ts';
import type { KernelEvent } from '../../src/native.ts';
import type { AgentSnapshot, ExpHistogram, Series } from '../../src/tracer/series.ts';
import { Allowance } from '../../src/util/allowance.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const line = (...fields: string[]) => fields.map((field) => `${field}\0`).join('');

test('a marker says which turn of which session, and where it belongs; "-" is nothing', () => {
  expect(turnMarker(line('taut-turn', 'begin', 's-1', 't:1', PARENT))).toEqual({
    ...{ event: 'begin', session: 's-1', turn: 't:1' },
    parent: { traceId: PARENT.slice(3, 35), spanId: PARENT.slice(36, 52), isSampled: true },
  });
  const nothing = { session: undefined, turn: undefined, parent: undefined };
  expect(turnMarker(line('taut-turn', 'end', '-', '-', '-'))).toEqual({ event: 'end', ...nothing });
});

test('a hook that has not read its input yet says nothing', () => {
  for (const fields of [['taut-turn'], ['taut-turn', 'begin'], ['taut-turn', '--help']])
    expect(turnMarker(line(...fields))).toBeUndefined();
});

test.each([
  ['another event', ['middle', 's', 't', '-']],
  ['an empty id', ['begin', '', 't', '-']],
  ['a long id', ['begin', 's', 'x'.repeat(65), '-']],
  ['words', ['begin', 'what a person wrote', 't', '-']],
  ['a letter that is no ASCII', ['begin', 's', 'ä', '-']],
  ['no trace context', ['begin', 's', 't', PARENT.replace('0af', 'xyz')]],
  ['one more', ['begin', 's', 't', '-', 'more']],
  ['one less', ['begin', 's', 't']],
])('what no hook says is malformed: %s', (_, fields) => {
  expect(turnMarker(line('taut-turn', ...fields))).toBe('malformed');
});

const SCALE = 3;
function histogram(offset: number, buckets: number[], sumNs: bigint, maxNs?: bigint): ExpHistogram {
  const count = buckets.reduce((sum, n) => sum + n, 0);
  return { scale: SCALE, offset, buckets, zeroCount: 0, count, sumNs, minNs: count > 0 ? 1n : undefined, maxNs };
}
const series = (quantity: Series['quantity'], of: ExpHistogram, more: Partial<Series> = {}): Series => ({
  ...{ quantity, source: undefined, slackClass: undefined, tuned: undefined, histogram: of },
  ...more,
});

test('between two snapshots is what was added to each series', () => {
  const queue = (n: number, sumNs: bigint) =>
    series('wakeup.run_queue_delay', histogram(-80, [n, 1], sumNs, 2_000_000n));
  const timers = series('wakeup.latency', histogram(-80, [3], 30n, 7n), { source: 'timer', slackClass: 'reachable' });
  const added = since([queue(5, 50n), timers], [queue(2, 20n)]);
  expect(added.map(({ histogram: { count, sumNs } }) => [count, sumNs])).toEqual([
    [3, 30n],
    [3, 30n],
  ]);
  expect(since([timers], [timers])).toEqual([]);
});

test('the longest of a turn is exact if nothing before it was longer, else the bound of its bucket', () => {
  const at = (i: number) => 2 ** ((i + 1) / 8);
  const late = (buckets: number[], maxNs: bigint) => series('timer.lateness', histogram(-80, buckets, 1n, maxNs));
  const max = (later: Series, earlier: Series) => turnWaits(since([later], [earlier]), true).lateness?.max;
  expect(max(late([1, 0, 2], 1_111_000n), late([1], 900_000n))).toBe(1_111_000 / 1e9);
  expect(max(late([2, 0, 1], 1_111_000n), late([1, 0, 1], 1_111_000n))).toBeCloseTo(at(-80), 8);
});

test('counts are split by what woke the thread, estimated where they were sampled, and the waiting is added up', () => {
  const one = histogram(-80, [4], 8_000_000n, 2_000_000n);
  const by = (source: 'timer' | 'other', slackClass?: 'reachable' | 'beyond' | 'none', tuned?: boolean) =>
    series('wakeup.latency', one, { source, slackClass, tuned });
  const all = [
    ...[by('other'), by('timer', 'reachable', false), by('timer', 'reachable', true), by('timer', 'none')],
    series('wakeup.run_queue_delay', one),
    series('wakeup.run_queue_delay', one, { shed: { factor: 4, detail: true } }),
  ];
  const waits = turnWaits(all, true);
  expect(waits.wakeups).toEqual({
    total: 20,
    bySource: { other: 4, timer_reachable: 4, timer_reachable_tuned: 4, timer_beyond: 0, timer_none: 4 },
  });
  expect([waits.lost, waits.factor, waits.lateness]).toEqual([0.04, 4, undefined]);
  expect(turnWaits(all, false).wakeups.bySource).toBeUndefined();
  expect(turnWaits([], true)).toMatchObject({ wakeups: { total: 0 }, lost: 0, runQueue: undefined });
});

test('an allowance is used up by each for itself, and comes back with time', () => {
  const allowance = new Allowance<string>({ burst: 2, perSecond: 4 });
  const taken = (key: string, atMs: number) => [1, 2, 3].map(() => allowance.take(key, atMs));
  expect(taken('a', 0)).toEqual([true, true, false]);
  expect(taken('b', 0)).toEqual([true, true, false]);
  expect(taken('a', 250)).toEqual([true, false, false]);
  expect(taken('a', 10_000)).toEqual([true, true, false]);
  expect(taken('a', 9_000)).toEqual([false, false, false]); // a clock that goes back gives nothing
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A host of agents that are made up: by id, with the id of the agent that each is a worker of. */
function host(workers: Readonly<Record<number, number>> = {}) {
  const counts = new Map<string, number>();
  const lost: number[] = [];
  const wakeups = new Map<number, number>();
  const identities = new Map<number, object>();
  const identity = (pid: number) => {
    const known = identities.get(pid) ?? { pid, startTicks: 1, name: 'bot', rule: 'bots', attachPath: 'cmdline' };
    identities.set(pid, known);
    return known;
  };
  const agent = (pid: number) => ({
    ...{ identity: identity(pid), maker: workers[pid] === undefined ? undefined : identity(workers[pid]) },
    ...{ sightedAtMs: 0, effectiveUser: () => 1_000, tunings: [], trace: { traceId: 'a', spanId: 'b', traceFlags: 1 } },
  });
  const present = new Map<number, ReturnType<typeof agent>>();
  const snapshot = (pid: number): AgentSnapshot | undefined => {
    const n = wakeups.get(pid);
    if (n === undefined) return undefined;
    const queue = series('wakeup.run_queue_delay', histogram(-80, [n], BigInt(n) * 1_000_000n, 1_000_000n));
    return { pid, name: 'bot', createdAtMs: 0, attachedAtMs: 0, series: n > 0 ? [queue] : [] };
  };
  const operations = {
    count: (_: string, outcome: string) => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1),
    turn: (_name: string, _tuned: boolean, seconds: number) => void lost.push(Math.round(seconds * 1_000)),
  };
  const lines: string[] = [];
  const log = { debug: (text: string) => void lines.push(text), info: () => {}, warn: () => {}, error: () => {} };
  const agents = { get: (pid: number) => present.get(pid), all: () => [...present.values()] };
  const turns = new Turns({ agents: agents as never, snapshot, hasTimers: true, operations, log });
  const says = (ppid: number, event: string, { session = 's', turn = '-', user = 1_000, agoMs = 0 } = {}) =>
    turns.heard({
      ...{ kind: 'exec', pid: 99, tid: 99, maker: 99, held: 0, startNs: 0n, ppid, user },
      atNs: process.hrtime.bigint() - BigInt(Math.round(agoMs * 1e6)),
      cmdline: line('taut-turn', event, session, turn, '-'),
    } as KernelEvent);
  const comes = (pid: number, n = 0) => {
    const one = agent(pid);
    present.set(pid, one);
    wakeups.set(pid, n);
    return one;
  };
  return { turns, counts: () => Object.fromEntries(counts), lost, lines, wakeups, present, says, comes };
}

test('a turn is what its agent and the workers of that waited for, also those that came and went in it', () => {
  const { turns, says, comes, present, wakeups, lost, counts, lines } = host({ 2: 1, 3: 2, 4: 1 });
  comes(1, 10);
  const second = comes(2, 100);
  comes(7, 1_000); // another agent
  says(2, 'begin'); // a hook of a worker is its agent's
  wakeups.set(1, 11);
  wakeups.set(2, 102);
  comes(3, 4);
  comes(4, 8);
  turns.leaving(second as never, 'agent_ended');
  present.delete(2);
  wakeups.delete(2);
  wakeups.set(7, 2_000);
  says(1, 'end');
  // The worker of a worker that has gone is nobody's: 1 + 2 + 8.
  expect([counts(), lost, lines.at(-1)]).toEqual([
    { begun: 1, ended: 1 },
    [11],
    'a turn of bot (1) is over (ended): 11 wakeups, 11 ms of waiting for a CPU',
  ]);
});

test('a turn that had begun when its agent was found is measured from then on; only the first of a session can be', () => {
  const { says, comes, counts, lost, wakeups } = host({ 2: 1 });
  comes(1, 3);
  comes(2, 4);
  says(1, 'end');
  wakeups.set(1, 10);
  says(1, 'end');
  says(1, 'end', { session: 'other', agoMs: 6_000 });
  says(1, 'end', { session: 'other' });
  // Its histograms go on from an earlier time.
  Object.assign(comes(9, 5), { sightedAtMs: 1 });
  says(9, 'end');
  expect([counts(), lost]).toEqual([{ begun_before: 1, ended: 1, no_begin: 4 }, [7]]);
});

test('each turn that began is over once, and so counted', () => {
  const { turns, says, comes, counts, lost } = host();
  const agent = comes(1);
  says(1, 'begin', { turn: 'a' });
  says(1, 'end', { turn: 'b' });
  says(1, 'begin', { turn: 'b' });
  says(1, 'begin', { session: 'other' });
  says(1, 'end', { turn: 'b' });
  says(1, 'end', { turn: 'b' });
  turns.leaving(agent as never, 'released');
  turns.leaving(agent as never, 'released');
  expect(counts()).toEqual({ begun: 3, superseded: 1, ended: 1, released: 1, no_begin: 2 });
  expect(lost).toEqual([0]);
});

test('a turn whose end never comes is over after a day', () => {
  const { turns, says, comes, counts } = host();
  comes(1);
  says(1, 'begin');
  vi.advanceTimersByTime(24 * 3_600_000 - 1);
  turns.sweep();
  expect(counts()).toEqual({ begun: 1 });
  vi.advanceTimersByTime(2);
  turns.sweep();
  turns.sweep();
  expect(counts()).toEqual({ begun: 1, too_long: 1 });
});

test('what is heard late is of another time: no turn begins by it, and one that ends by it is dropped', () => {
  const { says, comes, counts, lost } = host();
  comes(1);
  says(1, 'begin', { agoMs: 6_000 });
  says(1, 'begin');
  says(1, 'end', { agoMs: 6_000 });
  says(1, 'end');
  expect([counts(), lost]).toEqual([{ late: 1, begun: 1, ended_late: 1, no_begin: 1 }, []]);
});

test('who is no agent, of another user, or not measured, has no turns', () => {
  const { turns, says, comes, counts, wakeups } = host();
  comes(1);
  comes(2);
  wakeups.delete(2);
  says(0, 'begin');
  says(5, 'begin');
  says(1, 'begin', { user: 0 });
  says(2, 'begin');
  turns.heard({ kind: 'exec', ppid: 1, cmdline: undefined } as KernelEvent);
  turns.heard({ kind: 'exec', ppid: 0, cmdline: undefined } as KernelEvent);
  turns.heard({ kind: 'exec', ppid: 0, cmdline: line('taut-turned', 'begin', 's', 't', '-') } as KernelEvent);
  expect(counts()).toEqual({ no_agent: 2, other_user: 1, unmeasured: 1, no_room: 1 });
});

test('an agent has so many hooks a second and so many open turns, and so has a user of many agents', () => {
  const { says, comes, counts } = host();
  for (let pid = 1; pid <= 100; pid++) comes(pid);
  for (let n = 0; n < 1_000; n++) says(1, 'begin', { session: `s${n}` });
  expect(counts()).toEqual({ begun: 8, too_many: 992 });
  for (let pid = 2; pid <= 100; pid++) says(pid, 'begin');
  expect(counts()).toEqual({ begun: 8 + 80, too_many: 992 + 19 }); // 20 of the first count, too
  says(1, 'end', { session: 's0', user: 2_000 });
  expect(counts()['other_user']).toBe(1);
  vi.advanceTimersByTime(1_000);
  says(1, 'end', { session: 's0' });
  expect(counts()['ended']).toBe(1);
});
