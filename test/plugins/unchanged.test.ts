/**
 * What an agent says, and how it ends, is the same with its plugin as without, whether or not a taut is there. Prints how long a turn
 * takes in each case; TAUT_PLUGINS_ROUNDS=20 is for that.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installAll } from '../agents/install.ts';
import { ms, printTable } from '../agents/table.ts';
import { outcome } from '../support/program.ts';
import { PLUGGED } from './agents.ts';
import { House } from './house.ts';

const ROUNDS = Number(process.env['TAUT_PLUGINS_ROUNDS'] ?? 1);
const PROMPT = 'speak in exactly 8 words, and first run this: echo done';

interface Arm {
  readonly name: string;
  readonly hasPlugin: boolean;
}
const ARMS: readonly Arm[] = [
  { name: 'no plugin', hasPlugin: false },
  { name: 'the plugin, and no taut', hasPlugin: true },
];

let house: House;
const rows: string[][] = [];
beforeAll(async () => {
  await Promise.all(installAll(PLUGGED.map(({ program }) => program)).values());
  house = await House.open();
});
afterAll(async () => {
  const quantiles = ['least', 'half within', 'most'];
  printTable(`a turn with a tool, ${ROUNDS} times each, in turns`, ['agent', 'with', ...quantiles], rows);
  await house[Symbol.asyncDispose]();
});

test.each(PLUGGED)('$folder says and does the same with its plugin as without', async (agent) => {
  const programs = join(house.world.dir, 'nothing');
  mkdirSync(programs, { recursive: true });
  const times = new Map(ARMS.map((arm) => [arm, [] as number[]]));
  const said = new Set<string>();
  for (let round = 0; round < ROUNDS; round++)
    for (const arm of ARMS) {
      const began = performance.now();
      const { code, out, err } = await outcome(
        house.ask(agent, { prompt: PROMPT, hasPlugin: arm.hasPlugin, sends: false, programs }),
      );
      times.get(arm)?.push(performance.now() - began);
      said.add(`${code}: ${out}`);
      // On standard error the agents say what differs from run to run.
      expect(err).not.toMatch(/taut-turn|hook.*(fail|error|timed out)/i);
    }
  expect([...said]).toEqual([expect.stringMatching(/^0: word/)]);
  for (const [{ name }, all] of times) {
    const sorted = all.toSorted((a, b) => a - b);
    const at = (share: number) => ms(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
    rows.push([`${agent.folder} ${agent.program.version}`, name, at(0), at(0.5), at(1)]);
  }
});
