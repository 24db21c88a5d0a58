/** Where an agent's turn is found in a real Jaeger: in the trace of the CI job that started taut run, or by its session's id. */
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installAll } from '../agents/install.ts';
import type { Span } from '../support/otlp.ts';
import { outcome, until } from '../support/program.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';
import { CLAUDE, CODEX, GEMINI, PLUGGED, type PluggedAgent, QWEN } from './agents.ts';
import { House } from './house.ts';
import { above, type Job, job, namesWith, traceOf } from './trace.ts';

let house: House;
beforeAll(async () => {
  await Promise.all(installAll(PLUGGED.map(({ program }) => program)).values());
  house = await House.open();
});
afterAll(() => house[Symbol.asyncDispose]());

/** One turn of an agent that a CI job starts with `taut run`. @returns the session's id, as its hook was told. */
async function turnOf(agent: PluggedAgent, { traceparent }: Job): Promise<string> {
  using sandbox = new Sandbox();
  const programs = mkdtempSync(join(house.world.dir, 'programs-'));
  copyFileSync(join(import.meta.dirname, 'fixtures/taut-turn'), join(programs, 'taut-turn'));
  const prompt = 'speak in exactly 4 words, and first run this: sleep 0.1';
  const env = {
    ...{ TRACEPARENT: traceparent, TAUT_STATE_DIR: sandbox.stateDir },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: house.backends.otlp },
  };
  const asked = { prompt, hasPlugin: true, sends: true, programs, starter: [LAUNCHER, 'run', '--'], env };
  const { code, out, err } = await outcome(house.ask(agent, asked));
  expect(code, `${out}\n${err}`).toBe(0);
  const [first = ''] = readFileSync(join(programs, 'told'), 'utf8').split('\n');
  return (JSON.parse(first) as { hook: { session_id: string } }).hook.session_id;
}

test.each([
  { agent: CLAUDE, turn: 'claude_code.interaction' },
  { agent: CODEX, turn: 'session_task.turn' },
])(
  'the trace of a CI job leads through taut run to the turn of $agent.folder, and to what taut did',
  async ({ agent, turn }) => {
    const from = job();
    await turnOf(agent, from);
    let trace: Span[] = [];
    await until('Jaeger has the turn, and what taut did', async () => {
      trace = await traceOf(house.backends.jaeger, from.traceId);
      return ['run', 'attach', turn].every((wanted) => trace.some(({ name }) => name === wanted));
    });
    for (const wanted of ['attach', turn]) {
      const span = trace.find(({ name }) => name === wanted) as Span;
      const { names, top } = above(span, trace);
      expect(names.at(-1)).toBe('run');
      expect(top).toBe(from.spanId);
    }
    const below = trace.filter((one) => above(one, trace).names.includes(turn));
    expect(below.length).toBeGreaterThan(2);
  },
);

test.each([
  { agent: GEMINI, service: 'gemini-cli' },
  { agent: QWEN, service: 'qwen-code' },
])('the id that a hook of $agent.folder is told finds its spans in Jaeger', async ({ agent, service }) => {
  const session = await turnOf(agent, job());
  await until(
    'Jaeger finds them',
    async () => (await namesWith(house.backends.jaeger, service, 'gen_ai.conversation.id', session)).length > 0,
  );
});
