/** Where an agent's turn, and what it waited for, is found in a real Jaeger: in the trace of the CI job that started taut run, and by its session's id. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installAll } from '../agents/install.ts';
import { type Span, values } from '../support/otlp.ts';
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

/** One turn of an agent that a CI job starts with `taut run`. @returns the trace of the job, once Jaeger has these spans. */
async function turnOf(agent: PluggedAgent, { traceparent, traceId }: Job, wanted: readonly string[]): Promise<Span[]> {
  // Codex needs less time for a turn than taut for its start, and has no other work here.
  const seconds = agent === CODEX ? 5 : 0.1;
  using sandbox = new Sandbox();
  const prompt = `speak in exactly 4 words, and first run this: sleep ${seconds}`;
  const env = {
    ...{ TRACEPARENT: traceparent, TAUT_STATE_DIR: sandbox.stateDir },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: house.backends.otlp },
  };
  const asked = { prompt, hasPlugin: true, sends: true, starter: [LAUNCHER, 'run', '--optimize', '--'], env };
  const { code, out, err } = await outcome(house.ask(agent, asked));
  expect(code, `${out}\n${err}`).toBe(0);
  let trace: Span[] = [];
  await until(`Jaeger has ${wanted.join(', ')}`, async () => {
    trace = await traceOf(house.backends.jaeger, traceId);
    return wanted.every((one) => trace.some(({ name }) => name === one));
  });
  return trace;
}

const named = (trace: readonly Span[], wanted: string) => trace.find(({ name }) => name === wanted) as Span;

test.each([
  { agent: CLAUDE, turn: 'claude_code.interaction', isBelow: true },
  { agent: CODEX, turn: 'session_task.turn', isBelow: false },
])(
  'the trace of a CI job leads through taut run to the turn of $agent.folder, to what it waited for, and to what taut did',
  async ({ agent, turn, isBelow }) => {
    const from = job();
    const trace = await turnOf(agent, from, ['run', 'attach', turn, 'wakeups']);
    for (const wanted of ['attach', turn, 'wakeups']) {
      const { names, top } = above(named(trace, wanted), trace);
      expect(names.at(-1)).toBe('run');
      expect(top).toBe(from.spanId);
    }
    const below = trace.filter((one) => above(one, trace).names.includes(turn));
    expect(below.length).toBeGreaterThan(2);
    const wakeups = named(trace, 'wakeups');
    expect(above(wakeups, trace).names.includes(turn)).toBe(isBelow);
    const said = values(wakeups.attributes);
    expect(said['taut.turn.end']).toBe('ended');
    expect(said['taut.turn.wakeups.total']).toBeGreaterThan(10);
    expect(said['process.pid']).toBe(values(named(trace, 'attach').attributes)['process.pid']);
  },
);

test.each([
  { agent: GEMINI, service: 'gemini-cli' },
  { agent: QWEN, service: 'qwen-code' },
])('one id finds the spans of $agent.folder and what taut counted in its turn', async ({ agent, service }) => {
  const trace = await turnOf(agent, job(), ['run', 'attach', 'wakeups']);
  const said = values(named(trace, 'wakeups').attributes);
  expect(said).toMatchObject({ 'taut.turn.end': 'ended', 'session.id': said['gen_ai.conversation.id'] });
  const by = (which: string) =>
    namesWith(house.backends.jaeger, which, 'gen_ai.conversation.id', String(said['gen_ai.conversation.id']));
  await until("Jaeger finds the agent's", async () => (await by(service)).length > 0);
  expect(await by('taut')).toContain('wakeups');
});
