/** The guardrail: an agent that tuning harms is put back by what the kernel shows of it, and stays so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { outcome, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { attribute, spansOf } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { TUNED } from '../support/waiting.ts';

const OFF = {
  runQueueDelay: 'off',
  wakeupLatency: 'off',
  contextSwitches: 'off',
  interrupts: 'off',
  hostRunQueueDelay: 'off',
  cpuPressure: 'off',
};
const GUARDRAIL = { ...OFF, window: '400ms', errorRate: '5%' };
const REASON = /guardrail: tuning makes its CPU use worse: .* with it, .* without \(\d+ blocks: .* times as much/;

const guarded = () => {
  const sandbox = new Sandbox();
  sandbox.useRules([{ id: 'fixture', name: 'fixture-agent', anyArg: [sandbox.mark] }], { guardrail: GUARDRAIL });
  return sandbox;
};

test('an agent that tuning harms is put back with the figures, stays so over a restart, and is tuned again when that is lifted', async () => {
  using sandbox = guarded();
  await using agent = sandbox.python('harmed.py');
  await agent.line(/^ready/);
  await using taut = await sandbox.watch(TUNED);
  await taut.line(REASON, 60_000);
  await until('it is put back', () => slacks(agent.pid).every((slack) => slack === 50_000));
  const explained = async () =>
    (
      await sandbox.json<{ knobs: { gate: { layer: string; value: number | null; reason: string } }[] }>(
        'explain',
        String(agent.pid),
      )
    ).knobs[0]?.gate;
  expect(await explained()).toMatchObject({ layer: 'guardrail', value: null, reason: expect.stringMatching(REASON) });
  expect((await outcome(sandbox.taut('status'))).out).toMatch(REASON);
  expect(await taut.stop()).toBe(0);
  const logs = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  expect([...logs.matchAll(/"eventName":"taut\.guardrail"/g)]).toHaveLength(1);
  const reasons = spansOf(sandbox.stateDir, 'revert').map((span) => attribute(span, 'taut.revert.reason'));
  expect(reasons).toContainEqual(expect.stringMatching(REASON));
  expect(reasons).toContainEqual('guardrail: held back for one window of a trial');

  await using next = await sandbox.watch(TUNED);
  await until('the next taut has found it', async () => {
    const { agents } = await sandbox.json<StatusDocument>('status');
    return agents.some(({ pid }) => pid === agent.pid);
  });
  expect(await explained()).toMatchObject({ layer: 'guardrail', value: null });
  expect(slacks(agent.pid).every((slack) => slack === 50_000)).toBe(true);
  expect((await sandbox.json<StatusDocument>('status')).coolDowns).toEqual([
    { pid: agent.pid, reason: expect.stringMatching(REASON) },
  ]);
  const on = await outcome(sandbox.taut('on'));
  expect([on.code, on.out]).toEqual([0, 'lifted what the guardrail had put back: it may be tuned again']);
  await until('it is tuned', () => slacks(agent.pid).includes(1));
  expect(await next.stop()).toBe(0);
});

test('an agent on trial is held back and tuned in turns, and taut status says how far that is', async () => {
  using sandbox = guarded();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch(TUNED);
  await until('it is held back', () => slacks(agent.pid)[0] === 50_000);
  await until('it is tuned', () => slacks(agent.pid)[0] === 1);
  await until('a block is done', async () => {
    const { agents } = await sandbox.json<StatusDocument>('status');
    return (agents[0]?.guardrail?.blocks ?? 0) > 0;
  });
  expect((await outcome(sandbox.taut('status'))).out).toMatch(/; on trial by the guardrail, \d+ of 30 blocks/);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
});
