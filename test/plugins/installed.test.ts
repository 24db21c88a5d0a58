/** Each agent's own commands install its plugin, as docs/plugins.md has them, and then its hooks run. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installAll, installed } from '../agents/install.ts';
import { outcome } from '../support/program.ts';
import { PLUGGED } from './agents.ts';
import { House } from './house.ts';

let house: House;
beforeAll(async () => {
  await Promise.all(installAll(PLUGGED.map(({ program }) => program)).values());
  house = await House.open();
});
afterAll(() => house[Symbol.asyncDispose]());

test.each(PLUGGED)('$folder is given its plugin by its own commands, and tells of its turn then', async (agent) => {
  const home = house.home();
  const programs = mkdtempSync(join(house.world.dir, 'programs-'));
  copyFileSync(join(import.meta.dirname, 'fixtures/taut-turn'), join(programs, 'taut-turn'));
  const { command } = installed(agent.program);
  house.furnish(home, agent.setup('', { hasPlugin: false, folder: join(home, 'project') }).files);
  for (const words of agent.install) {
    const installing = house.run(home, [command, ...words], agent.setup('', { hasPlugin: false, folder: home }).env);
    installing.child.stdin?.end();
    const { code, out, err } = await outcome(installing);
    expect(code, `${words.join(' ')}:\n${out}\n${err}`).toBe(0);
  }
  const asked = { prompt: 'speak in exactly 4 words', hasPlugin: 'installed', sends: false, programs, home } as const;
  const { code, out, err } = await outcome(house.ask(agent, asked));
  expect(code, `${out}\n${err}`).toBe(0);
  const told = join(programs, 'told');
  expect(existsSync(told), `${out}\n${err}`).toBe(true);
  const lines = readFileSync(told, 'utf8').split('\n').slice(0, -1);
  expect(lines.map((line) => (JSON.parse(line) as { which: string }).which)).toEqual(['begin', 'end']);
});
