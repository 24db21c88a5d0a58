/** An agent of which only the second knob is tuned: what is said of it, and where. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { Ledger } from '../../src/actuator/ledger.ts';
import type { Agent } from '../../src/agents/agent.ts';
import { Obstacles } from '../../src/agents/obstacles.ts';
import { Operations } from '../../src/agents/operations.ts';
import { RecordedThreads } from '../../src/agents/recordedThreads.ts';
import { Agents } from '../../src/agents/registry.ts';
import { type AgentEvent, agentStatus, isTuned, knobsOf } from '../../src/agents/status.ts';
import type { Watcher } from '../../src/agents/watcher.ts';
import { answer, answerPublicly } from '../../src/cli/controlHandlers.ts';
import { describe, type Explained, toJson } from '../../src/cli/explained.ts';
import { REPLIES } from '../../src/cli/replies.ts';
import { describeAgent } from '../../src/cli/status.ts';
import { statusDocument } from '../../src/cli/statusDocument.ts';
import { parseConfig } from '../../src/config/load.ts';
import { Decisions } from '../../src/discovery/decisions.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { createLog } from '../../src/util/log.ts';
import { jsonText } from '../../src/util/printable.ts';
import { volume } from '../support/madeUpKnob.ts';

vi.mock('../../src/actuator/knobs.ts', async () => {
  const [first, made] = await Promise.all([
    import('../../src/actuator/timerSlack.ts'),
    import('../support/madeUpKnob.ts'),
  ]);
  return { KNOBS: [first.timerSlack, made.volume] };
});

const NOT_GIVEN = '--optimize-timer-slack was not given';
const spans = new InMemorySpanExporter();
const events: AgentEvent[] = [];
const lines: string[] = [];
const directory = mkdtempSync(join(tmpdir(), 'taut-second-'));
const ledger = new Ledger(directory);
const decisions = new Decisions(compileRules(parseConfig('version: 1\nbuiltin: false\n', 'c.yaml')));
let child: ChildProcess;
let agents: Agents;

beforeAll(async () => {
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }));
  child = spawn('sleep', ['infinity'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  const log = createLog('info', (line) => lines.push(line));
  const operations = new Operations('none');
  const said = { log, operations, obstacles: new Obstacles(log, operations) };
  const host = {
    knobs: KNOBS,
    ledger,
    ...said,
    descendants: 'contain',
    onRecord: new RecordedThreads(operations, []),
  } as const;
  const scope = { kind: 'pids', pids: new Set([pid]) } as const;
  const gate = await createGate({ targets: new Map([[volume.id, 40n]]), onProblem: () => {} });
  const failed = (what: string, error: unknown) => {
    throw new Error(what, { cause: error });
  };
  const measurement = {
    attach: () => 'own' as const,
    begin: () => {},
    detach: () => {},
    decided: () => {},
    waits: () => undefined,
  };
  const onEvent = (event: AgentEvent) => void events.push(event);
  agents = new Agents({ decisions, gate, scope, log, measurement, onEvent, failed }, host, () => {});
  await agents.attachIfAgent(pid, { source: 'scan', atMs: Date.now() });
});

afterAll(() => {
  child.kill();
  ledger[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

function agent(): Agent {
  const [one] = agents.all();
  if (!one) throw new Error('there is no agent');
  return one;
}

const attributesOf = (name: string) =>
  spans.getFinishedSpans().flatMap((span) => (span.name === name ? [span.attributes] : []));

test('its status has both knobs, and what was there before stays timer slack', () => {
  const status = agentStatus(agent());
  expect(status).toMatchObject({ target: null, gate: { value: null, reason: NOT_GIVEN } });
  expect(status.threads).toEqual({ total: 1, original: 1, tuned: 0, drifted: 0, exempt: 0 });
  const gate = { layer: 'option', value: 40, reason: '--optimize-volume' };
  expect(status.knobs).toEqual([
    { id: 'timer_slack_ns', target: null, gate: status.gate, threads: status.threads },
    { id: volume.id, target: 40, gate, threads: { total: 1, original: 0, tuned: 1, drifted: 0, exempt: 0 } },
  ]);
  expect(events).toMatchObject([{ event: 'attach', agent: status }]);
});

test('its status survives the way over the socket, and one without knobs is one of timer slack', () => {
  const status = JSON.parse(JSON.stringify(agentStatus(agent())));
  expect(REPLIES.adopt.parse(status)).toEqual(status);
  const { knobs, ...earlier } = status;
  expect(REPLIES.adopt.parse(earlier)).toEqual(earlier);
  expect(knobsOf(earlier)).toEqual([knobs[0]]);
  expect([isTuned(earlier), isTuned(status), isTuned({ ...earlier, target: 1 })]).toEqual([false, true, true]);
});

test('status and log say which knob is tuned, to what', () => {
  expect(describeAgent(agentStatus(agent()))).toBe(
    `sleep: timer slack not changed in 1 thread (${NOT_GIVEN}); volume 40% in 1 of 1 thread (--optimize-volume); named on the command line`,
  );
  expect(lines).toContainEqual(expect.stringMatching(/^taut: tuned 1 of 1 threads of sleep \(\d+\): volume 40%$/));
});

test('explain gives the decision on each knob, to its user and to every user', () => {
  const watcher = { agent: (pid: number) => agents.get(pid) } as Watcher;
  const daemon = { watcher, decisions, status: () => statusDocument(directory), lookAtSwitch: async () => {} };
  const request = { op: 'explain', pid: agent().identity.pid } as const;
  for (const reply of [answer(request, daemon), answerPublicly(request, daemon)]) {
    const { gate, knobs } = REPLIES.explain.parse(JSON.parse(jsonText(reply))) as Explained;
    expect(gate).toEqual({ layer: 'off', value: null, reason: NOT_GIVEN });
    expect(knobs).toEqual([
      { id: 'timer_slack_ns', gate },
      { id: volume.id, gate: { layer: 'option', value: 40, reason: '--optimize-volume' } },
    ]);
    const verdict = {
      decision: 'attach',
      ruleId: 'pid',
      name: 'sleep',
      attachPath: 'pid',
      evidence: [],
      lost: [],
    } as const;
    const told = { ...verdict, sightings: [], more: 0, near: [], daemon: true, kernelThread: undefined, notes: [] };
    const explained: Explained = { ...told, pid: request.pid, access: 'full', gate, knobs };
    expect(describe(explained).slice(1)).toEqual([
      `  its timer slack is left as it is: ${NOT_GIVEN} [off]`,
      '  its volume is to be 40%: --optimize-volume [option]',
    ]);
    expect(toJson(explained)).toMatchObject({ gate, knobs });
    const flag = { key: 'taut.optimize', provider: 'p', variant: 'on', reason: 'TARGETING_MATCH' };
    const byFlag = { layer: 'flag', value: 40n, reason: 'flag taut.optimize is true (on)', flag } as const;
    expect(describe({ ...explained, knobs: [{ id: volume.id, gate: byFlag }] }).at(-1)).toBe(
      '  its volume is to be 40%: flag taut.optimize is true (on) [flag, targeting match]',
    );
  }
});

test('a value of a knob that this taut does not know is said as it is', () => {
  const threads = { total: 2, original: 0, tuned: 2, drifted: 0, exempt: 0 };
  const later = { id: 'later_knob', target: 7, gate: { value: 7, reason: 'so' }, threads };
  const status = { ...agentStatus(agent()), name: 'bot', rule: 'r', knobs: [later] };
  expect(describeAgent(status)).toBe('bot: later_knob 7 in 2 of 2 threads (so); rule r');
});

test('its spans count its threads, and name the knob', () => {
  expect(attributesOf('attach')).toMatchObject([{ 'taut.threads.total': 1, 'taut.threads.tuned': 1 }]);
  expect(attributesOf('gate').map((a) => [a['taut.knob'], a['taut.gate.value']])).toEqual([
    ['timer_slack_ns', 'off'],
    [volume.id, '40'],
  ]);
  for (const name of ['tune', 'verify'])
    expect(attributesOf(name)).toMatchObject([{ 'taut.knob': volume.id, 'taut.threads.tuned': 1 }]);
});

test('that the kernel refuses is said once of each knob', () => {
  const said: string[] = [];
  const log = createLog('info', (line) => said.push(line));
  const obstacles = new Obstacles(log, new Operations('none'));
  for (const knob of [...KNOBS, ...KNOBS]) obstacles.denied(agent().identity, knob);
  expect(said.map((line) => /change the (.+) of sleep/.exec(line)?.[1])).toEqual(['timer slack', 'volume']);
  expect(obstacles.any).toBe(true);
});

test('it is put back, and the ledger is empty', () => {
  expect(ledger.entries().map(({ knob, original, target }) => [knob, original, target])).toEqual([
    [volume.id, 80n, 40n],
  ]);
  agents.letGo(child.pid ?? 0, 'the test is over');
  expect(ledger.count()).toBe(0);
  expect(attributesOf('revert')).toMatchObject([{ 'taut.knob': volume.id, 'taut.threads.restored': 1 }]);
});
