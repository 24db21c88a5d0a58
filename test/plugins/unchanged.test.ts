/**
 * What an agent says, and how it ends, is the same with its plugin as without, whether or not a taut is there. Prints how long a turn
 * takes in each case; TAUT_PLUGINS_ROUNDS=20 is for that.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { installAll } from '../agents/install.ts';
import { ms, printTable } from '../agents/table.ts';
import { outcome, until } from '../support/program.ts';
import { attachSpans } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { PLUGGED } from './agents.ts';
import { House } from './house.ts';

const ROUNDS = Number(process.env['TAUT_PLUGINS_ROUNDS'] ?? 1);
const PROMPT = 'speak in exactly 8 words, and first run this: echo done';

interface Arm {
  readonly name: string;
  readonly hasPlugin: boolean;
  readonly isWatched: boolean;
}
const ARMS: readonly Arm[] = [
  { name: 'no plugin', hasPlugin: false, isWatched: false },
  { name: 'the plugin, and no taut', hasPlugin: true, isWatched: false },
  { name: 'the plugin, while a taut measures', hasPlugin: true, isWatched: true },
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
  // Nobody else on the host is to be measured.
  const rules = BUILTIN_RULES.filter(({ name }) => name === agent.program.name).map((rule) => ({
    ...rule,
    cwd: `${house.world.dir}/*`,
  }));
  const nothing = join(house.world.dir, 'nothing');
  mkdirSync(nothing, { recursive: true });
  const times = new Map(ARMS.map((arm) => [arm, [] as number[]]));
  const said = new Set<string>();
  for (let round = 0; round < ROUNDS; round++)
    for (const arm of ARMS) {
      using sandbox = Sandbox.withRules(rules);
      await using _taut = arm.isWatched ? await sandbox.watch() : undefined;
      const began = performance.now();
      const { code, out, err } = await outcome(
        house.ask(agent, {
          prompt: PROMPT,
          hasPlugin: arm.hasPlugin,
          sends: false,
          ...(arm.isWatched ? {} : { programs: nothing }),
        }),
      );
      times.get(arm)?.push(performance.now() - began);
      said.add(`${code}: ${out}`);
      if (arm.isWatched) await until('taut has measured it', () => attachSpans(sandbox.stateDir).length > 0);
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
