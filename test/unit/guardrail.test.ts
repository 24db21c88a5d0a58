/** The guardrail: who is held back for which window, what comes of harm, and how long that lasts. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { Guardrail } from '../../src/agents/guardrail.ts';
import { readingOf, valuesOfAgent, valuesOfHost } from '../../src/agents/guardrailMeasures.ts';
import { BLOCKS, limitsOfAgent } from '../../src/agents/guardrailTrial.ts';
import { gateNow } from '../../src/agents/knobTuning.ts';
import { agentStatus } from '../../src/agents/status.ts';
import type { RuleGuardrail } from '../../src/config/agentLimits.ts';
import { guardrailSchema } from '../../src/config/guardrail.ts';
import { parseConfig } from '../../src/config/load.ts';
import { type CoolDown, CoolDowns, coolDownsPath, liftCoolDowns, readCoolDowns } from '../../src/gate/coolDowns.ts';
import type { Gate, GateDecision, GateQuestion } from '../../src/gate/gate.ts';
import { GuardedGate } from '../../src/gate/guardedGate.ts';
import { WINDOWS } from '../../src/gate/harmTest.ts';
import { type HostLoad, parseQueue, readHostLoad } from '../../src/proc/hostLoad.ts';
import { empty } from '../../src/tracer/arithmetic.ts';
import type { AgentSnapshot, ExpHistogram } from '../../src/tracer/series.ts';
import { Life, TARGET, toolPatience } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-guardrail-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const OFF = { cpu: 'off', contextSwitches: 'off', interrupts: 'off', hostRunQueueDelay: 'off', cpuPressure: 'off' };
const IDLE: HostLoad = { contextSwitches: 0, interrupts: 0, queue: undefined, pressureUs: undefined };

/** So many wakeups that waited for `2 ** exponent` seconds. */
function waits(count: number, exponent: number): ExpHistogram {
  return { ...empty(3), offset: 8 * exponent, buckets: [count], count };
}

/** Agents of which each window shows what `delay` says: the exponent of two of what each wakeup waits, in seconds. */
class Trials implements Disposable {
  readonly life = new Life();
  readonly guardrail: Guardrail;
  readonly coolDowns: CoolDown[] = [];
  readonly #counted = new Map<number, ExpHistogram>();
  delay: (pid: number) => number = () => -10;
  load: () => HostLoad = () => IDLE;
  lot = 0;
  nowMs = 0;
  rule: RuleGuardrail | undefined;

  constructor(settings: object = OFF) {
    const { life } = this;
    this.guardrail = new Guardrail(
      {
        settings: guardrailSchema.parse(settings),
        hold: (coolDown) => {
          this.coolDowns.push(coolDown);
          for (const agent of life.agents.all())
            for (const tuning of agent.tunings)
              agent.decide(tuning, { layer: 'guardrail', value: null, reason: coolDown.reason }, 0);
        },
      },
      {
        agents: () => life.agents.all(),
        ruleOf: () => this.rule,
        snapshot: (pid) => this.#snapshot(pid),
        hasWakeups: true,
        log: { debug() {}, info() {}, warn: (line) => void life.lines.push(line), error() {} },
        failed: (what, error) => void life.failures.push(`${what}: ${(error as Error).message}`),
        draw: () => this.lot,
        load: () => this.load(),
        now: () => this.nowMs,
      },
    );
  }

  #snapshot(pid: number): AgentSnapshot {
    const histogram = this.#counted.get(pid) ?? empty(3);
    const [source, slackClass, tuned] = [undefined, undefined, undefined];
    const series = [{ quantity: 'wakeup.run_queue_delay' as const, source, slackClass, tuned, histogram }];
    return { pid, name: 'bot', createdAtMs: 0, attachedAtMs: 0, series };
  }

  /** A window passes. */
  window(): void {
    for (const pid of this.life.pids()) {
      const buckets = Array(8 * 20).fill(0);
      const before = this.#counted.get(pid);
      for (const [i, n] of (before?.buckets ?? []).entries()) buckets[i] = n;
      buckets[8 * (20 + this.delay(pid))] += 100;
      this.#counted.set(pid, { ...empty(3), offset: 8 * -20, buckets, count: (before?.count ?? 0) + 100 });
    }
    this.guardrail.tick();
  }

  block(): void {
    for (let i = 0; i < WINDOWS; i++) this.window();
  }

  [Symbol.dispose](): void {
    this.guardrail[Symbol.dispose]();
    this.life[Symbol.dispose]();
  }
}

test('in one window of each block, drawn by lot, an agent has what it had before, and says so', async () => {
  using trials = new Trials();
  const { life } = trials;
  const pid = await life.run('bot');
  const seen = () => life.host.value(pid);
  trials.guardrail.tick(); // the first block begins
  for (const lot of [3, 0, 2]) {
    const values: bigint[] = [];
    for (let i = 0; i < WINDOWS; i++) {
      values.push(seen());
      if (i === WINDOWS - 1) trials.lot = lot;
      trials.window();
    }
    expect(values.filter((value) => value === ORIGINAL)).toHaveLength(1);
  }
  expect(seen()).toBe(TARGET);
  trials.window();
  trials.window();
  expect(seen()).toBe(ORIGINAL);
  const [agent] = life.agents.all();
  if (!agent) throw new Error('it is gone');
  expect(agentStatus(agent).knobs[0]).toMatchObject({ target: null, gate: { layer: 'guardrail', value: null } });
  expect(agent.tunings.map((tuning) => gateNow(tuning).reason)).toEqual([
    'held back for one window of a trial; before and after: the test says so',
  ]);
  expect(trials.guardrail.status(agent)).toEqual({ state: 'running', blocks: 3, of: BLOCKS, passedAt: null });
});

test('an agent that tuning harms is put back, with the figures; the other one is not', async () => {
  using trials = new Trials();
  const { life } = trials;
  const harmed = await life.run('bot');
  const other = await life.run('bot');
  trials.delay = (pid) => (pid === harmed && life.host.value(pid) === TARGET ? -6 : -10);
  for (let i = 0; i < 12 && trials.coolDowns.length === 0; i++) {
    trials.lot = (3 * i) % WINDOWS;
    trials.block();
  }
  const [coolDown] = trials.coolDowns;
  expect(coolDown?.agent).toMatchObject({ pid: harmed, name: expect.any(String) });
  expect(coolDown?.untilMs).toBe(86_400_000);
  expect(coolDown?.reason).toMatch(
    /^guardrail: tuning makes its run-queue delay \(p99\) worse: 17\.\d ms with it, 1\.0\d ms without \(\d blocks: .* times as much, wrong in 0\.5% of cases at most; the limit is 1\.5 times\)$/,
  );
  expect(life.lines.join()).toContain(
    `putting bots (${harmed}) back until 1970-01-02T00:00:00.000Z: guardrail: tuning`,
  );
  const [, second] = life.agents.all();
  expect(second?.identity.pid).toBe(other);
  expect(second && trials.guardrail.status(second)?.state).toBe('running');
  expect(life.failures).toEqual([]);
});

test('a trial without harm ends, the agent stays tuned, and the next trial begins when it is time', async () => {
  using trials = new Trials();
  const { life } = trials;
  const pid = await life.run('bot');
  const [agent] = life.agents.all();
  const status = () => agent && trials.guardrail.status(agent);
  trials.guardrail.tick();
  for (let i = 0; i < BLOCKS; i++) trials.block();
  expect([status(), trials.coolDowns]).toMatchObject([{ state: 'passed', blocks: BLOCKS }, []]);
  trials.nowMs = 3_599_000;
  for (let i = 0; i < 2 * WINDOWS; i++) {
    trials.window();
    expect(life.host.value(pid)).toBe(TARGET);
  }
  trials.nowMs = 3_600_000;
  trials.window();
  expect([status(), life.host.value(pid)]).toEqual([
    { state: 'running', blocks: 0, of: BLOCKS, passedAt: null },
    ORIGINAL,
  ]);
});

test('what the host shows puts back every agent, and a rule that says off keeps its agents out of trials', async () => {
  using trials = new Trials({ ...OFF, runQueueDelay: 'off', wakeupLatency: 'off', contextSwitches: '50%' });
  const { life } = trials;
  const pid = await life.run('bot');
  let contextSwitches = 0;
  trials.load = () => {
    contextSwitches += life.host.value(pid) === TARGET ? 1e9 : 1e3;
    return { ...IDLE, contextSwitches };
  };
  trials.rule = 'off';
  for (let i = 0; i < 3; i++) trials.block();
  expect(life.host.value(pid)).toBe(TARGET);
  trials.rule = undefined;
  for (let i = 0; i < 12 && trials.coolDowns.length === 0; i++) trials.block();
  expect(trials.coolDowns.map(({ agent, reason }) => [agent, reason])).toEqual([
    [undefined, expect.stringMatching(/tuning makes the host's context switches worse/)],
  ]);
  expect(life.host.value(pid)).toBe(ORIGINAL);
});

test('limits of a flag come before those of the rule, and of several flags the lowest counts', () => {
  const settings = guardrailSchema.parse({ cpu: '40%' });
  const cpu = (rule: RuleGuardrail | undefined, ...flags: RuleGuardrail[]) =>
    limitsOfAgent(settings, rule, flags)?.get('cpu') ?? 'off';
  expect([cpu(undefined), cpu({ cpu: 0.2 }), cpu('off')]).toEqual([0.4, 0.2, 'off']);
  expect([cpu({ cpu: 0.2 }, { cpu: 0.3 }), cpu('off', { cpu: 0.3 }), cpu({ cpu: 0.2 }, 'off')]).toEqual([
    0.3,
    0.3,
    'off',
  ]);
  expect([cpu({ cpu: 0.2 }, {}), cpu('off', {}), cpu({ cpu: 0.2 }, { cpu: 'off' })]).toEqual([0.2, 0.4, 'off']);
  const several: RuleGuardrail[] = ['off', { cpu: 0.3 }, { cpu: 'off' }, { cpu: 0.1, wakeupLatency: 0.7 }];
  expect(cpu(undefined, ...several)).toBe(0.1);
  expect(limitsOfAgent(settings, undefined, several)?.get('wakeupLatency')).toBe(0.7);
  expect(cpu({ cpu: 0.2 }, 'off', 'off')).toBe('off');
});

test('an agent that a flag keeps out of trials is not held back, and one that a flag gives a wider limit is not put back', async () => {
  using trials = new Trials();
  const { life } = trials;
  let guardrail: RuleGuardrail | undefined = 'off';
  life.gate.asks = ({ last }) => {
    const flag = { key: 'taut.optimize', provider: 'test', variant: JSON.stringify(guardrail), reason: undefined };
    const said = { layer: 'flag' as const, value: TARGET, reason: 'flag', flag, ...(guardrail && { guardrail }) };
    return last?.flag?.variant === flag.variant ? last : said;
  };
  const pid = await life.run('bot');
  trials.delay = () => (life.host.value(pid) === TARGET ? -4 : -10); // 64 times as long
  const held: boolean[] = [];
  for (let i = 0; i < 2 * WINDOWS; i++) {
    trials.window();
    held.push(life.host.value(pid) === ORIGINAL);
  }
  expect(held).not.toContain(true);
  guardrail = { runQueueDelay: 'off', wakeupLatency: 'off' };
  await life.agents.gateAll();
  for (let i = 0; i < 12; i++) trials.block();
  expect(trials.coolDowns).toEqual([]);
  guardrail = undefined;
  await life.agents.gateAll();
  for (let i = 0; i < 12 && trials.coolDowns.length === 0; i++) trials.block();
  expect(trials.coolDowns).toMatchObject([{ agent: { pid } }]);
});

test('a flag with limits is told of once where no guardrail runs', async () => {
  const told: string[] = [];
  let decision: GateDecision = { ...OPEN, guardrail: 'off' };
  const flags: Gate = { decide: async () => decision, onChange: () => () => {}, close: async () => {} };
  const gate = new GuardedGate(flags, new CoolDowns(dir), (flag) => told.push(flag));
  const flag = { key: 'taut.optimize', provider: 'test', variant: undefined, reason: undefined };
  await gate.decide(question);
  decision = { ...OPEN, flag, guardrail: 'off' };
  await gate.decide(question);
  expect(told).toEqual([]);
  decision = { ...OPEN, flag, guardrail: { cpu: 0.1 } };
  for (let i = 0; i < 3; i++) await gate.decide(question);
  expect(told).toEqual(['taut.optimize']);
  await gate.close();
});

test('what the gate decides while an agent is held back counts; what somebody else has set stays', async () => {
  using trials = new Trials();
  const { life } = trials;
  const pid = await life.run('bot');
  const tid = life.host.thread(pid);
  await life.hear();
  life.host.set(tid, 7_000n);
  trials.guardrail.tick();
  expect([life.host.value(pid), life.host.value(tid)]).toEqual([ORIGINAL, 7_000n]);
  trials.window();
  expect([life.host.value(pid), life.host.value(tid)]).toEqual([TARGET, 7_000n]);
  trials.block(); // held back again
  trials.lot = 9;
  await life.decide(null);
  for (let i = 0; i < 2 * WINDOWS; i++) trials.window();
  expect([life.host.value(pid), life.host.value(tid)]).toEqual([ORIGINAL, 7_000n]);
  await life.decide(TARGET);
  trials.lot = 0;
  trials.window();
  expect(life.host.value(pid)).toBe(ORIGINAL);
  life.agents.get(pid)?.revert('taut restore');
  trials.window();
  expect(life.host.value(pid), 'what an operator put back is not tuned again').toBe(ORIGINAL);
});

test('an agent that ends while it is held back, and a guardrail that ends, leave nothing', async () => {
  using trials = new Trials();
  const { life } = trials;
  const pid = await life.run('bot');
  trials.guardrail.tick();
  life.host.end(pid);
  await life.hear();
  for (let i = 0; i < WINDOWS; i++) trials.window();
  const next = await life.run('bot');
  trials.window();
  expect(life.host.value(next)).toBe(ORIGINAL);
  trials.guardrail[Symbol.dispose]();
  life.detach();
  expect([life.host.value(next), life.ledger.count(), life.failures]).toEqual([ORIGINAL, 0, []]);
});

test('the tools of an agent are held back with it, but what somebody has set stays', async () => {
  using life = new Life({ knobs: [toolPatience] });
  const pid = await life.run('bot');
  const [tool, other] = [life.host.fork(pid), life.host.fork(pid)];
  for (const child of [tool, other]) life.host.exec(child, ['/usr/bin/make']);
  await life.hear();
  expect([tool, other].map((child) => life.host.value(child))).toEqual([TARGET, TARGET]);
  life.host.set(other, ORIGINAL);
  await life.reconcile();
  const agent = life.agent(pid);
  agent?.pause('the test says so');
  expect([tool, other].map((child) => life.host.value(child))).toEqual([ORIGINAL, ORIGINAL]);
  agent?.resume();
  expect([tool, other].map((child) => life.host.value(child))).toEqual([TARGET, ORIGINAL]);
});

const question: GateQuestion = { knob: timerSlack, pid: 42, name: 'bot', ruleId: 'r', startTicks: 7 };
const OPEN: GateDecision = { layer: 'flag', value: 1n, reason: 'the test says so' };

test('the gate is shut for an agent that was harmed, also after a restart, until that is over or lifted', async () => {
  const asked: GateQuestion[] = [];
  const behind: Gate = {
    decide: (one) => {
      asked.push(one);
      return OPEN;
    },
    onChange: () => () => {},
    close: async () => {},
  };
  const gate = new GuardedGate(behind, new CoolDowns(dir));
  let told = 0;
  gate.onChange(() => told++);
  const untilMs = Date.now() + 60_000;
  gate.hold({ agent: { pid: 42, startTicks: 7, name: 'bot' }, reason: 'harm', untilMs });
  const shut = await gate.decide(question);
  const reason = `harm; it stays so until ${new Date(untilMs).toISOString()} (taut on lifts that)`;
  expect([shut, told]).toEqual([{ layer: 'guardrail', value: null, reason }, 1]);
  expect(gate.decide({ ...question, last: shut }), 'nothing is to be done').toBe(shut);
  expect(await gate.decide({ ...question, startTicks: 8 }), 'another process with its id').toBe(OPEN);
  await gate.close();
  const next = new GuardedGate(behind, new CoolDowns(dir));
  expect(await next.decide(question)).toEqual(shut);
  next.onChange(() => told++);
  expect([liftCoolDowns(dir), liftCoolDowns(dir)]).toEqual([1, 0]);
  next.look();
  next.look();
  expect([told, await next.decide({ ...question, last: shut })]).toEqual([2, OPEN]);
  expect(asked.at(-1)?.last, 'what the guardrail decided is not what a flag said last').toBeUndefined();
  await next.close();
});

test('a cool-down ends by itself, one of the host is for all, and a file that is broken holds all back', () => {
  const coolDowns = new CoolDowns(dir);
  const held: CoolDown = { reason: 'harm', untilMs: Date.now() + 60_000 };
  coolDowns.add({ ...held, untilMs: Date.now() - 1 });
  expect([coolDowns.of({ pid: 1 }), coolDowns.refresh(), coolDowns.refresh()]).toEqual([undefined, true, false]);
  coolDowns.add(held);
  expect([coolDowns.of({ pid: 1 }), readCoolDowns(dir), readdirSync(dir)]).toEqual([held, [held], ['guardrail.json']]);
  for (const broken of ['{', '[{}]', '7']) {
    writeFileSync(coolDownsPath(dir), broken);
    expect(new CoolDowns(dir).of({ pid: 1 })?.reason).toMatch(/can't be understood$/);
  }
  expect([liftCoolDowns(dir), existsSync(coolDownsPath(dir))]).toEqual([1, false]);
  expect(readCoolDowns('/dev/null')).toEqual([]);
});

test('a window is the difference of two readings; one without wakeups says nothing of them', () => {
  const reading = (atMs: number, cpuSeconds: number | undefined, n: number) =>
    readingOf(atMs, cpuSeconds, {
      ...{ pid: 1, name: 'bot', createdAtMs: 0, attachedAtMs: 0 },
      series: [
        {
          ...{ quantity: 'wakeup.latency', source: 'timer', slackClass: undefined, tuned: undefined },
          histogram: waits(n, -10),
        },
        {
          ...{ quantity: 'wakeup.latency', source: 'other', slackClass: undefined, tuned: undefined },
          histogram: waits(n, -10),
        },
      ],
    });
  expect(valuesOfAgent(reading(1_000, 1, 100), reading(3_000, 2, 150))).toEqual({
    cpu: 0.5,
    wakeupLatency: expect.closeTo(2 ** -10 * 2 ** (0.99 / 8), 9),
  });
  expect(valuesOfAgent(reading(1_000, 1, 100), reading(3_000, undefined, 100))).toEqual({});
  const host = (atMs: number, n: number) => ({ ...IDLE, atMs, contextSwitches: n, interrupts: 2 * n });
  expect(valuesOfHost(host(0, 0), host(500, 100))).toEqual({ contextSwitches: 200, interrupts: 400 });
  const queue = (atMs: number, waitedNs: number, turns: number) => ({
    ...{ ...host(atMs, 0), queue: { waitedNs, turns }, pressureUs: atMs },
  });
  expect(valuesOfHost(queue(0, 0, 0), queue(1_000, 2e6, 4))).toMatchObject({
    hostRunQueueDelay: 0.0005,
    cpuPressure: 0.001,
  });
});

test('the counters of a host are read as the kernel writes them', () => {
  const { contextSwitches, interrupts } = readHostLoad();
  expect([contextSwitches > 0, interrupts > 0]).toEqual([true, true]);
  const text =
    'version 17\ntimestamp 4295\ncpu0 0 0 1 2 3 4 5 600 7\ndomain0 MC 3 1 2 3\ncpu1 0 0 0 0 0 0 9 400 3\ndomain0 MC 3 1 2 3\n';
  expect([parseQueue(text), parseQueue('version 17\n')]).toEqual([{ waitedNs: 1_000, turns: 10 }, undefined]);
});

test('a configuration says what is allowed; a mistake in it is told with its place', () => {
  const read = (text: string) => parseConfig(`version: 1\n${text}\n`, 'c.yaml');
  expect(read('').guardrail).toBeUndefined();
  expect(read('guardrail: {}').guardrail).toEqual({
    ...{ window: 5_000, errorRate: 0.01, coolDown: 86_400_000, every: 3_600_000 },
  });
  expect(read('guardrail: { cpu: off, runQueueDelay: 20%, window: 500ms }').guardrail).toMatchObject({
    ...{ cpu: 'off', runQueueDelay: 0.2, window: 500 },
  });
  expect(read('rules: [{ id: a, program: x, guardrail: off }]').rules[0]?.guardrail).toBe('off');
  expect(read('rules: [{ id: a, program: x, guardrail: { cpu: 5% } }]').rules[0]?.guardrail).toEqual({ cpu: 0.05 });
  for (const [text, mistake] of [
    ['guardrail: { cpuu: 5% }', /^c\.yaml:2:14: unknown key "cpuu"; did you mean "cpu"\?$/],
    ['guardrail: { cpu: 5 }', /^c\.yaml:2:19: cpu: /],
    ['guardrail: { errorRate: 0% }', /^c\.yaml:2:25: errorRate: at least 0\.0001% is wanted$/],
    ['guardrail: { window: 1ms }', /^c\.yaml:2:22: window: a whole number with ms, s, m, h or d is wanted, from 200ms/],
    ['rules: [{ id: a, program: x, guardrail: { window: 1s } }]', /unknown key "window"; known: runQueueDelay/],
  ] as const)
    expect(() => read(text)).toThrow(mistake);
});
