/**
 * However taut ends, nothing stays tuned: every row of the table in every way that taut is used, for 300 agents (but the
 * demo, which has its own).
 */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Crew } from '../kernel/endings/crew.ts';
import { Life } from '../kernel/endings/life.ts';
import { prove, took } from '../kernel/endings/proof.ts';
import { ROWS } from '../kernel/endings/table.ts';
import { compiled } from '../support/compiled.ts';

const AGENTS = 300;
const THREADS = 3;
/** The moments of a start at which it is ended, milliseconds. */
const MOMENTS = Array.from({ length: 20 }, (_, i) => 100 * i);

const program = compiled('crew');
let crew: Crew;

beforeAll(async () => {
  crew = await Crew.start(program, AGENTS, THREADS);
});

afterAll(async () => {
  await crew[Symbol.asyncDispose]();
  const slowest = took.toSorted((a, b) => b.ms - a.ms).slice(0, 10);
  const lines = slowest.map(({ ending, ms }) => `${(ms / 1_000).toFixed(2)} s  ${ending}`);
  process.stderr.write(`${took.length} endings; the slowest after taut had ended:\n${lines.join('\n')}\n`);
});

/** Every way takes half an hour: `TAUT_ENDINGS=all`. */
const isAll = process.env['TAUT_ENDINGS'] === 'all';
const rows = ROWS.flatMap((ending) =>
  (isAll ? ending.ways : ending.quick).map((way) => [way, ending.name, ending] as const),
);
test.each(rows)(
  `on a host with ${AGENTS} agents %s leaves nothing tuned, and nothing of itself, after: %s`,
  (way, _, ending) => prove(crew, way, ending),
);

test.each(MOMENTS)('asked twice to end in its start, after %i ms, it leaves nothing', async (ms) => {
  await using life = await Life.start(crew, 'watch', { until: 'nothing' });
  await setTimeout(ms);
  life.signalGroup('SIGTERM');
  life.signalGroup('SIGTERM');
  await life.program.ended;
  expect(await life.settled()).toBe('nothing');
});
