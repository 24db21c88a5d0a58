/** Processes and threads that end, or whose ids are used again, at the worst moment: while taut looks at them. */
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { turnOff } from '../../src/actuator/off.ts';
import type { GateDecision } from '../../src/gate/gate.ts';
import { nowMs } from '../../src/proc/clock.ts';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

/**
 * Does `work` as often as it accesses what /proc shows, each time on a new host: `happens` comes before the first
 * access, then before the second, and so on. `after` is called each time, once all is heard.
 */
async function beforeEachAccess<T>(
  begin: (life: Life) => T | Promise<T>,
  happens: (life: Life, begun: T) => void,
  work: (life: Life, begun: T) => unknown,
  after: (life: Life, begun: T, where: string) => unknown,
): Promise<void> {
  for (let n = 0; ; n++) {
    using life = new Life();
    const begun = await begin(life);
    let accesses = 0;
    life.host.onAccess = () => {
      if (accesses++ === n) happens(life, begun);
    };
    await work(life, begun);
    life.host.onAccess = () => {};
    if (accesses <= n) return expect(n).toBeGreaterThan(1);
    await life.hear();
    await life.reconcile();
    const where = `before access ${n}`;
    expect(life.failures, where).toEqual([]);
    await after(life, begun, where);
    life.detach();
    expect(life.host.changed(), where).toEqual([]);
    expect(life.ledger.count(), where).toBe(0);
  }
}

const startBot = (life: Life) => life.host.start(['/bin/bot']);
const hear = (life: Life) => life.hear();

test('a process that ends while it is looked at is no agent, and nothing of it stays on record or open', async () => {
  const ends = (life: Life, pid: number) => life.host.end(pid);
  await beforeEachAccess(startBot, ends, hear, (life, _, where) => {
    expect([life.pids(), life.ledger.count()], where).toEqual([[], 0]);
  });
});

test('a process that takes the id of one that ended while it was looked at is never written', async () => {
  const isReplaced = (life: Life, pid: number) => {
    life.host.end(pid);
    life.host.start(['/bin/cat'], { pid, value: 7n });
  };
  await beforeEachAccess(startBot, isReplaced, hear, (life, pid, where) => {
    expect([life.host.value(pid), life.pids(), life.ledger.count()], where).toEqual([7n, [], 0]);
  });
});

test('an agent that takes the id of an agent that ended while it was looked at is tuned, with its own original', async () => {
  const isReplaced = (life: Life, pid: number) => {
    life.host.end(pid);
    life.host.start(['/bin/bot', 'again'], { pid, value: 7_000n });
  };
  await beforeEachAccess(startBot, isReplaced, hear, (life, pid, where) => {
    expect([life.host.value(pid), life.pids()], where).toEqual([TARGET, [pid]]);
  });
});

test.each([
  ['bot', 'cat', 'hear'],
  ['bot', 'bot', 'hear'],
  ['bot', 'cat', 'scan'],
  ['bot', 'bot', 'scan'],
  ['cat', 'bot', 'scan'],
] as const)(
  'a process that runs %s, and then %s while it is looked at (%s), is what it runs',
  async (first, second, how) => {
    const start = (life: Life) => {
      const pid = life.host.start([`/bin/${first}`]);
      if (how === 'scan') life.host.loseEvents();
      return pid;
    };
    const runs = (life: Life, pid: number) => life.host.exec(pid, [`/bin/${second}`, 'again']);
    const look = (life: Life) => (how === 'scan' ? life.scan() : life.hear());
    await beforeEachAccess(start, runs, look, (life, pid, where) => {
      const expected = second === 'bot' ? [TARGET, [pid]] : [ORIGINAL, []];
      expect([life.host.value(pid), life.pids()], where).toEqual(expected);
    });
  },
);

test('an exec that is told of an id that another process has by then says nothing about that one', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  const told = life.host.events();
  life.host.end(pid);
  life.host.start(['/bin/cat'], { pid });
  life.host.loseEvents();
  await life.hear(told);
  expect(life.pids()).toEqual([]);
  expect(life.host.value(pid)).toBe(ORIGINAL);
});

test('a thread that ends while it is tuned, or whose id another process gets, is not on record', async () => {
  for (const isReused of [false, true]) {
    const start = async (life: Life) => {
      const pid = await life.run('bot');
      return { pid, tid: life.host.thread(pid) };
    };
    const ends = (life: Life, { tid }: { tid: number }) => {
      life.host.endThread(tid);
      if (isReused) life.host.start(['/bin/cat'], { pid: tid, value: 7n });
    };
    await beforeEachAccess(start, ends, hear, (life, { pid, tid }, where) => {
      expect(
        life.ledger.entries().map((entry) => entry.tid),
        where,
      ).toEqual([pid]);
      if (isReused) expect(life.host.value(tid), where).toBe(7n);
    });
  }
});

test('a thread and its end are heard in either order, or one of them never', async () => {
  for (const heard of [[0, 1], [1, 0], [0], [1], []]) {
    using life = new Life();
    const pid = await life.run('bot');
    const tid = life.host.thread(pid);
    life.host.endThread(tid);
    const told = life.host.events();
    await life.hear(heard.flatMap((i) => told[i] ?? []));
    await life.reconcile();
    expect(life.failures).toEqual([]);
    expect([...(life.agent(pid)?.tunings[0]?.threads.keys() ?? [])]).toEqual([pid]);
    expect(life.ledger.count()).toBe(1);
  }
});

test('a process that ends while it is put back is gone, and the next one with its id is left alone', async () => {
  const start = async (life: Life) => {
    const pid = await life.run('bot');
    life.host.thread(pid);
    await life.hear();
    return pid;
  };
  const isReplaced = (life: Life, pid: number) => {
    life.host.end(pid);
    life.host.start(['/bin/cat'], { pid, value: TARGET });
  };
  const letGo = (life: Life, pid: number) => life.agents.letGo(pid, 'the test says so');
  await beforeEachAccess(start, isReplaced, letGo, (life, pid, where) => {
    expect([life.host.value(pid), life.ledger.count()], where).toEqual([TARGET, 0]);
  });
});

test.each(['first', 'later'] as const)(
  'a thread that runs a program while threads are tuned (%s round) gets back its own original, not that of the leader that was',
  async (round) => {
    const start = async (life: Life) => {
      const pid = round === 'first' ? startBot(life) : await life.run('bot');
      const [one, two] = [life.host.thread(pid), life.host.thread(pid)];
      life.host.set(one, 60_000n);
      life.host.set(two, 70_000n);
      return two;
    };
    const runs = (life: Life, tid: number) => life.host.execBy(tid, ['/bin/bot', 'again']);
    await beforeEachAccess(start, runs, hear, (life, _, where) => {
      const [pid = 0] = life.pids();
      expect(life.host.values(pid), where).toEqual([TARGET]);
      expect(
        life.ledger.entries().map(({ tid, original }) => [tid, original]),
        where,
      ).toEqual([[pid, 70_000n]]);
    });
  },
);

test('an agent whose end is heard together with its exec ends without a complaint, and of it no event is told', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  const heard = life.hear(); // it is tuned by now, and nothing else has run yet
  expect(life.host.value(pid)).toBe(TARGET);
  life.host.end(pid);
  await Promise.all([heard, life.hear()]);
  expect(life.failures).toEqual([]);
  expect(life.events).toEqual([]);
  expect([life.pids(), life.ledger.count()]).toEqual([[], 0]);
});

test('an agent that ends while an asynchronous gate decides is not tuned, nor is the next one with its id', async () => {
  for (const next of ['cat', 'bot']) {
    using life = new Life();
    const answers: (() => void)[] = [];
    life.gate.asks = () =>
      new Promise((resolve) => answers.push(() => resolve({ value: TARGET, reason: 'after a while' })));
    const pid = await life.run('bot');
    life.host.end(pid);
    await life.hear();
    life.host.start([`/bin/${next}`], { pid });
    await life.hear();
    answers[0]?.();
    await life.hear();
    expect(life.failures).toEqual([]);
    expect(life.host.value(pid)).toBe(ORIGINAL);
    expect(life.pids()).toEqual(next === 'bot' ? [pid] : []);
    answers[1]?.();
    await life.hear();
    expect(life.host.value(pid)).toBe(next === 'bot' ? TARGET : ORIGINAL);
    expect(life.lines.filter((line) => line.includes('attached to'))).toHaveLength(next === 'bot' ? 1 : 0);
  }
});

test('an agent that is let go while an asynchronous gate is asked again is put back, and that is all', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  let answer = () => {};
  life.gate.asks = () =>
    new Promise((resolve) => {
      answer = () => resolve({ value: 7n, reason: 'after a while' });
    });
  const asked = life.agents.gateAll();
  life.host.exec(pid, ['/bin/cat']);
  await life.hear();
  answer();
  await asked;
  expect(life.failures).toEqual([]);
  expect(life.events.map(({ event }) => event)).toEqual(['attach', 'release']);
  expect([life.host.value(pid), life.pids(), life.ledger.count()]).toEqual([ORIGINAL, [], 0]);
});

test('nobody is attached to after the end, whatever is told then', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  life.detach();
  await life.hear();
  await life.agents.attachIfAgent(pid, { source: 'scan', atMs: nowMs() });
  expect(life.pids()).toEqual([]);
  expect(life.host.value(pid)).toBe(ORIGINAL);
});

test.each(['bot', 'cat'])(
  'a thread that is not the leader executes %s while its process is attached, or tuned already: nothing stays tuned',
  async (program) => {
    const begin = (life: Life) => {
      const pid = startBot(life);
      // With its maker's value: one that executes between being read and being written can't be told from the leader.
      return { pid, tid: life.host.thread(pid) };
    };
    const execs = (life: Life, { tid }: { tid: number }) => life.host.execBy(tid, [`/bin/${program}`]);
    const isTuned = (life: Life, { pid }: { pid: number }, where: string) =>
      expect(life.host.values(pid), where).toEqual([program === 'bot' ? TARGET : ORIGINAL]);
    await beforeEachAccess(begin, execs, hear, isTuned);
    const attached = async (life: Life) => {
      const begun = begin(life);
      await life.hear();
      return begun;
    };
    await beforeEachAccess(attached, execs, (life) => life.reconcile(), isTuned);
  },
);

test('an answer of the gate that comes late does not overrule a newer one', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const answers: PromiseWithResolvers<GateDecision>[] = [];
  life.gate.asks = () => {
    const answer = Promise.withResolvers<GateDecision>();
    answers.push(answer);
    return answer.promise;
  };
  const [first, second] = [life.agents.gateAll(), life.agents.gateAll()];
  answers[1]?.resolve({ value: null, reason: 'the newer answer' });
  await second;
  answers[0]?.resolve({ value: TARGET, reason: 'the older answer' });
  await first;
  expect([life.host.value(pid), life.agent(pid)?.tunings[0]?.gate.reason]).toEqual([ORIGINAL, 'the newer answer']);
});

test('an agent about which the gate does not answer keeps no other agent waiting', async () => {
  using life = new Life();
  const [silent, other] = [await life.run('bot'), await life.run('bot')];
  const never = new Promise<GateDecision>(() => {});
  life.gate.asks = ({ pid }) => (pid === silent ? never : { value: null, reason: 'the test says so' });
  void life.agents.gateAll();
  await setImmediate();
  expect([life.host.value(silent), life.host.value(other)]).toEqual([TARGET, ORIGINAL]);
});

test('nothing is written while tuning is off, whatever the gate had decided before, and nothing stays on record', async () => {
  using life = new Life();
  turnOff(dirname(life.ledger.path), { reason: null, since: null, by: null });
  const pid = await life.run('bot');
  expect([life.pids(), life.host.value(pid), life.host.changed(), life.ledger.count()]).toEqual([
    [pid],
    ORIGINAL,
    [],
    0,
  ]);
});
