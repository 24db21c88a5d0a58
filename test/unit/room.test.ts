/** More agents than there is room for: those beyond are left alone until there is, and nobody else is kept from anything. */
import { expect, test } from 'vitest';
import { descriptorProblem, descriptorShares } from '../../src/proc/descriptors.ts';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

test('agents beyond the room are left as they are, said once, and attached to when others have ended', async () => {
  using life = new Life({ maxAgents: 2 });
  const pids: number[] = [];
  for (let n = 0; n < 5; n++) pids.push(await life.run('bot'));
  const values = (from = 0) => pids.slice(from).map((pid) => life.host.value(pid));
  expect(values()).toEqual([TARGET, TARGET, ORIGINAL, ORIGINAL, ORIGINAL]);
  const said = () => life.lines.filter((line) => line.includes('there is room for 2 agents'));
  expect(said()).toEqual([expect.stringMatching(/^warn: .*: bots \(\d+\) and others are left alone until one ends/)]);
  await life.reconcile();
  expect(life.pids()).toEqual(pids.slice(0, 2));

  life.host.end(pids[0] ?? 0);
  await life.hear();
  await life.reconcile();
  expect(values(1)).toEqual([TARGET, TARGET, ORIGINAL, ORIGINAL]);
  expect(said()).toHaveLength(2); // for again some are left
  for (const pid of pids.slice(1, 3)) life.host.end(pid);
  await life.hear();
  await life.reconcile();
  expect(values(3)).toEqual([TARGET, TARGET]);
  expect(said()).toHaveLength(2);
});

test('while there is room, nothing is looked at that nobody told of', async () => {
  using life = new Life({ maxAgents: 2 });
  const [first] = [await life.run('bot'), await life.run('bot')];
  const unseen = life.host.start(['/usr/bin/bot']);
  life.host.events();
  life.host.end(first);
  await life.hear();
  await life.reconcile();
  expect(life.host.value(unseen)).toBe(ORIGINAL);
});

test.each([
  [64, { clients: 0, agents: 0 }],
  [256, { clients: 24, agents: 72 }],
  [1_024, { clients: 216, agents: 648 }],
  [20_000, { clients: 1_024, agents: 8_192 }],
  [Number.POSITIVE_INFINITY, { clients: 1_024, agents: 8_192 }],
])('of %s files that may be open, taut keeps enough for itself', (limit, shares) => {
  expect(descriptorShares(limit)).toEqual(shares);
  expect(descriptorProblem(limit) === undefined).toBe(shares.agents > 0);
});
