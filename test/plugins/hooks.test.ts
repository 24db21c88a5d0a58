/** What the hooks of real agents tell taut, whose place a script has that writes it down. */
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installAll } from '../agents/install.ts';
import { outcome } from '../support/program.ts';
import { PLUGGED, type PluggedAgent } from './agents.ts';
import { House } from './house.ts';
import { job } from './trace.ts';

interface Told {
  readonly which: 'begin' | 'end';
  readonly traceparent: string;
  readonly hook: Readonly<Record<string, unknown>>;
}

let house: House;
beforeAll(async () => {
  await Promise.all(installAll(PLUGGED.map(({ program }) => program)).values());
  house = await House.open();
});
afterAll(() => house[Symbol.asyncDispose]());

/** The agents that say which turn it is, not only which session. */
const TURN_ID: Readonly<Record<string, string>> = {
  'claude-code': 'prompt_id',
  codex: 'turn_id',
  'qwen-code': 'prompt_id',
};
/** The agents whose hooks get the context of the turn, and not the one that the agent was started with. */
const GIVES_TURN = ['claude-code'];

test.each(PLUGGED)(
  '$folder tells of its turn once at the beginning and once at the end, with ids and a context',
  async (agent: PluggedAgent) => {
    const programs = mkdtempSync(join(house.world.dir, 'programs-'));
    copyFileSync(join(import.meta.dirname, 'fixtures/taut-turn'), join(programs, 'taut-turn'));
    const { traceparent, traceId } = job();
    const asked = { prompt: 'speak in exactly 4 words', hasPlugin: true, sends: true, programs };
    const { code, out, err } = await outcome(house.ask(agent, { ...asked, env: { TRACEPARENT: traceparent } }));
    expect(code, `${out}\n${err}`).toBe(0);
    expect(out).toContain('word');

    const lines = readFileSync(join(programs, 'told'), 'utf8').split('\n').slice(0, -1);
    const told = lines.map((line) => JSON.parse(line) as Told);
    expect(told.map(({ which }) => which)).toEqual(['begin', 'end']);
    const of = (key: string) => [...new Set(told.map(({ hook }) => hook[key]))];
    expect(of('session_id')).toEqual([expect.stringMatching(/^[\w-]{16,}$/)]);
    const turn = TURN_ID[agent.folder];
    if (turn !== undefined) expect(of(turn)).toEqual([expect.stringMatching(/^[\w-]{8,}/)]);
    const [context = '', ...others] = [...new Set(told.map((one) => one.traceparent))];
    expect(others).toEqual([]);
    expect(context.split('-')[1]).toBe(traceId);
    expect(context !== traceparent).toBe(GIVES_TURN.includes(agent.folder));
  },
);
