/** A flag that flaps: what an agent has follows it a bounded number of times, and every word that turns it off. */
import { expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { dampedGate, MOST_TURNS } from '../../src/gate/dampedGate.ts';
import type { Gate, GateDecision } from '../../src/gate/gate.ts';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';
import { until } from '../support/program.ts';

const question = { knob: timerSlack, pid: 42, name: 'claude-code', ruleId: 'r' };

/** A flag that a test sets, and what an agent was decided on by it. */
class Flapping {
  value: bigint | null = null;
  readonly problems: string[] = [];
  readonly gate: Gate;
  last: GateDecision | undefined;

  constructor(windowMs = 60_000) {
    const behind: Gate = {
      decide: () => ({
        layer: 'flag',
        value: this.value,
        reason: `the flag says ${this.value}`,
        flag: { key: 'a', provider: 'p', variant: String(this.value), reason: 'STATIC' },
      }),
      onChange: () => () => {},
      close: async () => {},
    };
    this.gate = dampedGate(behind, (problem) => this.problems.push(problem), windowMs);
  }

  async say(value: bigint | null): Promise<bigint | null | undefined> {
    this.value = value;
    this.last = await this.gate.decide({ ...question, ...(this.last && { last: this.last }) });
    return this.last.value;
  }

  async flap(times: number): Promise<(bigint | null | undefined)[]> {
    const values = [];
    for (let i = 0; i < times; i++) values.push(await this.say(1n), await this.say(null));
    return values;
  }
}

test('an agent is turned on a bounded number of times in a minute, and off each time; that is said once', async () => {
  const flag = new Flapping();
  const values = await flag.flap(50);
  expect(values.filter((value) => value === 1n)).toHaveLength(MOST_TURNS);
  expect(values.slice(0, 2 * MOST_TURNS)).toEqual(Array(MOST_TURNS).fill([1n, null]).flat());
  expect(flag.problems).toEqual([expect.stringMatching(/^the flag a changes too often: .* at most 10 times a minute/)]);
  await flag.say(1n);
  expect(flag.last).toMatchObject({ value: null, isDamped: true, reason: expect.stringMatching(/it waits until/) });
  const { last } = flag;
  await flag.say(1n);
  expect(flag.last, 'it is the same decision still').toBe(last);
  await flag.gate.close();
});

test('a value that flaps between two stays at one of them', async () => {
  const flag = new Flapping();
  const values = [];
  for (let i = 0; i < 20; i++) values.push(await flag.say(1n), await flag.say(2n));
  expect(values.slice(0, MOST_TURNS)).toEqual(
    Array(MOST_TURNS / 2)
      .fill([1n, 2n])
      .flat(),
  );
  expect(new Set(values.slice(MOST_TURNS)), 'it is not changed any more').toEqual(new Set([2n]));
  expect(await flag.say(null), 'off is off').toBeNull();
  await flag.gate.close();
});

test('when the minute is over all are asked about again, and what the flag says then is done', async () => {
  const flag = new Flapping(100);
  let asked = 0;
  flag.gate.onChange(() => asked++);
  await until('it is damped', async () => {
    await flag.flap(MOST_TURNS + 1);
    return flag.problems.length > 0;
  });
  await until('all are asked about again', () => asked > 0);
  await until('it is followed', async () => (await flag.say(1n)) === 1n);
  await flag.gate.close();
});

test('a new agent is tuned while the flag of another one flaps, which is not written any more', async () => {
  using life = new Life();
  const flag = new Flapping();
  const pid = await life.run('bot');
  life.gate.asks = (asked) => (asked.pid === pid ? flag.gate.decide(asked) : { value: TARGET, reason: 'calm' });
  for (let i = 0; i < 30; i++) {
    flag.value = i % 2 === 0 ? null : TARGET;
    await life.agents.gateAll();
  }
  const calm = await life.run('bot');
  expect([life.host.values(pid), life.host.values(calm)]).toEqual([[ORIGINAL], [TARGET]]);
  expect(life.events.filter(({ event, agent }) => event === 'tune' && agent.pid === pid)).toHaveLength(MOST_TURNS);
  await flag.gate.close();
});
