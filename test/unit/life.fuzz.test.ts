/**
 * Whatever happens on a made-up host, and however much of it is heard by then: once taut lets go, every thread has the
 * value that it would have without taut, and nothing is on record. FUZZ_RUNS: how often, for longer runs.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DESCENDANTS } from '../../src/actuator/descendants.ts';
import { Life, type LifeOptions, patience, toolPatience } from '../support/life.ts';

const asked = process.env['FUZZ_RUNS'];
/** A hundredth of what is asked for: a life takes some milliseconds. Without that the lives are the same each time. */
const numRuns = asked === undefined ? 150 : Math.ceil(Number(asked) / 100);
const parameters = { numRuns, ...(asked === undefined ? { seed: 1 } : {}) };
const timeout = 60_000 + numRuns * 100;

const PROGRAMS = ['bot', 'worker', 'secret', 'cat'] as const;
const RULES = (children: string) =>
  `[{ id: bots, program: bot, children: ${children} }, { id: workers, program: worker }, { id: never, action: deny, program: secret }]`;
/**
 * Two targets, the values that processes begin with, and those that others set: no two are the same. They set all
 * threads of a process: a child that is found, and not told of, gets back what any thread of its parent had.
 */
const [TARGETS, NATURAL, FOREIGN] = [
  [1n, 5n],
  [50_000n, 7_000n, 3n],
  [20n, 30_000n],
] as const;

/** Which process or thread it is about: the n-th that there is, and from the first again after the last. */
const nth = fc.nat(30);
const program = fc.constantFrom(...PROGRAMS);
const BIRTHS = fc.oneof(
  fc.record({ do: fc.constant('start' as const), program, value: fc.constantFrom(...NATURAL), again: fc.boolean() }),
  fc.record({ do: fc.constant('fork' as const), nth, again: fc.boolean() }),
  fc.record({ do: fc.constant('thread' as const), nth }),
);
const CHANGES = fc.oneof(
  fc.record({ do: fc.constant('exec' as const), nth, program }),
  fc.record({ do: fc.constant('rename' as const), nth, program }),
  fc.record({ do: fc.constant('set' as const), nth, value: fc.constantFrom(...FOREIGN) }),
  fc.record({ do: fc.constant('policy' as const), nth, policy: fc.constantFrom('fifo' as const, 'other' as const) }),
  fc.record({ do: fc.constant('deny' as const), nth, denied: fc.boolean() }),
  fc.record({ do: fc.constant('endThread' as const), nth }),
);
const ENDS = fc.record({ do: fc.constant('end' as const), nth });
const LOSSES = fc.constant({ do: 'lose' as const });
const TAUT = fc.oneof(
  fc.constant({ do: 'hear' as const }),
  fc.constant({ do: 'reconcile' as const }),
  fc.constant({ do: 'scan' as const }),
  fc.record({ do: fc.constant('gate' as const), target: fc.constantFrom(...TARGETS, null) }),
);
type Step =
  | (typeof BIRTHS extends fc.Arbitrary<infer T> ? T : never)
  | (typeof CHANGES extends fc.Arbitrary<infer T> ? T : never)
  | (typeof ENDS extends fc.Arbitrary<infer T> ? T : never)
  | (typeof LOSSES extends fc.Arbitrary<infer T> ? T : never)
  | (typeof TAUT extends fc.Arbitrary<infer T> ? T : never);

const options = fc.record({
  descendants: fc.constantFrom(...DESCENDANTS),
  rules: fc.constantFrom(...['match', 'all', 'none'].map(RULES)),
  knobs: fc.constantFrom([patience], [toolPatience]),
});

const at = <T>(all: readonly T[], n: number) => all[n % all.length];

/** Ids of processes that have ended, the last one first. */
class Ended {
  readonly #ids: number[] = [];

  add(pid: number): void {
    this.#ids.push(pid);
  }

  /** One of them as an option of a birth, if there is one. */
  take(isWanted: boolean): { pid?: number } {
    const pid = isWanted ? this.#ids.pop() : undefined;
    return pid === undefined ? {} : { pid };
  }
}

async function take(life: Life, step: Step, ended: Ended): Promise<void> {
  const { host } = life;
  const pid = 'nth' in step ? at(host.pids(), step.nth) : undefined;
  const tid = 'nth' in step ? at(host.tids(), step.nth) : undefined;
  if (step.do === 'hear') await life.hear();
  else if (step.do === 'reconcile') await life.reconcile();
  else if (step.do === 'scan') await life.scan();
  else if (step.do === 'gate') await life.decide(step.target);
  else if (step.do === 'lose') host.loseEvents();
  else if (step.do === 'start') host.start([`/bin/${step.program}`], { value: step.value, ...ended.take(step.again) });
  else if (pid === undefined || tid === undefined) return;
  else if (step.do === 'fork') host.fork(host.processOf(tid), { maker: tid, ...ended.take(step.again) });
  else if (step.do === 'thread') host.thread(host.processOf(tid), { maker: tid });
  else if (step.do === 'exec') host.exec(pid, [`/bin/${step.program}`]);
  else if (step.do === 'rename') host.rename(pid, step.program);
  else if (step.do === 'set') for (const each of host.tids(pid)) host.set(each, step.value);
  else if (step.do === 'policy') host.setPolicy(tid, step.policy);
  else if (step.do === 'deny') host.deny(tid, step.denied);
  else if (step.do === 'endThread' && tid !== host.processOf(tid)) host.endThread(tid);
  else if (step.do === 'end') {
    host.end(pid);
    ended.add(pid);
  }
}

/** Lives these steps, and then ends. `hears`: whether it hears by then what was told. */
async function lived(steps: readonly Step[], options: LifeOptions, hears: boolean): Promise<Life> {
  const life = new Life(options);
  const ended = new Ended();
  for (const step of steps) await take(life, step, ended);
  if (hears) await life.hear();
  for (const tid of life.host.tids()) {
    life.host.setPolicy(tid, 'other');
    life.host.deny(tid, false);
  }
  life.detach();
  return life;
}

async function holds(step: fc.Arbitrary<Step>, hears: boolean, law: (life: Life) => void): Promise<void> {
  const steps = fc.array(step, { maxLength: 40 });
  const property = fc.asyncProperty(steps, options, async (steps, options) => {
    using life = await lived(steps, options, hears);
    law(life);
    expect(life.ledger.count()).toBe(0);
  });
  await fc.assert(property, parameters);
}

test('every thread has its own value in the end, whatever was told until then and whether it was heard or not', {
  timeout,
}, async () => {
  await holds(fc.oneof(BIRTHS, BIRTHS, CHANGES, TAUT), false, (life) => expect(life.host.changed()).toEqual([]));
});

test('the same where processes end, and their ids are used again, if what was told is heard before the end', {
  timeout,
}, async () => {
  await holds(fc.oneof(BIRTHS, BIRTHS, CHANGES, ENDS, TAUT), true, (life) => expect(life.host.changed()).toEqual([]));
});

/** Whose original a child has is lost with its fork; that it has one is not, while the agent that made it lives. */
test('no thread has a target in the end, whatever was lost', { timeout }, async () => {
  const step = fc.oneof(BIRTHS, BIRTHS, CHANGES, LOSSES, TAUT);
  await holds(step, false, ({ host }) => {
    const targets = new Set<bigint>(TARGETS);
    expect(host.tids().filter((tid) => targets.has(host.value(tid)))).toEqual([]);
  });
});
