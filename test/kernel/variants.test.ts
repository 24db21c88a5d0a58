/** The series of an agent while a flag gives it one variant after another. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentEvent } from '../../src/agents/status.ts';
import { tell } from '../support/conversation.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

const SLEEPS = 100;

test('each wakeup is on the series of the variant that was in force; none is lost, and none is counted twice', async () => {
  using sandbox = new Sandbox();
  const flags = join(sandbox.dir, 'flags.json');
  const use = (variant: string) => {
    const flag = { state: 'ENABLED', variants: { treated: true, control: false }, defaultVariant: variant };
    writeFileSync(flags, JSON.stringify({ flags: { 'taut.optimize-timer-slack': flag } }));
  };
  use('control');
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--flags', flags, '--json');
  const happened = (event: AgentEvent['event']) =>
    until(event, () => taut.lines.some((line) => (JSON.parse(line) as AgentEvent).event === event));
  await happened('attach');
  await tell(agent, `sleep ${SLEEPS} 700`);
  use('treated');
  await happened('tune');
  await tell(agent, `sleep ${SLEEPS} 700`);
  use('control');
  await happened('revert');
  await tell(agent, `sleep ${SLEEPS} 700`);
  expect(await taut.stop()).toBe(0);

  const points = sandbox
    .lastCounts('taut.timer.lateness')
    .filter(({ attributes }) => attributes['taut.timer.slack_class'] === 'reachable');
  expect(new Set(points.map(({ attributes }) => attributes['feature_flag.key']))).toEqual(
    new Set(['taut.optimize-timer-slack']),
  );
  const of = (variant: string) => points.filter(({ attributes: a }) => a['feature_flag.result.variant'] === variant);
  const sum = (all: typeof points) => all.reduce((total, { count }) => total + count, 0);
  const discarded = sandbox
    .lastSums('taut.tracer.events')
    .filter(({ attributes }) => attributes['taut.tracer.outcome'] === 'discarded')
    .reduce((total, { value }) => total + value, 0);
  for (const [variant, sleeps] of [
    ['treated', SLEEPS],
    ['control', 2 * SLEEPS],
  ] as const) {
    expect(sum(of(variant)), variant).toBeLessThanOrEqual(sleeps);
    expect(sum(of(variant)) + discarded, variant).toBeGreaterThanOrEqual(sleeps);
  }
  const isTuned = ({ attributes }: (typeof points)[number]) => attributes['taut.tuned'] === true;
  expect([of('treated').every(isTuned), of('control').some(isTuned)]).toEqual([true, false]);
});
