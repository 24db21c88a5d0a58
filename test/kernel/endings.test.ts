/**
 * However taut ends, nothing stays tuned. Each row of the table for one agent, in some of the ways that taut is used;
 * the endurance test tries all of them, for hundreds of agents.
 */
import { afterAll, beforeAll, test } from 'vitest';
import { compiled } from '../support/compiled.ts';
import { Crew } from './endings/crew.ts';
import { prove, took } from './endings/proof.ts';
import { ROWS } from './endings/table.ts';

const program = compiled('crew');
let crew: Crew;

beforeAll(async () => {
  crew = await Crew.start(program, 1, 4);
});

afterAll(async () => {
  await crew[Symbol.asyncDispose]();
  const [slowest] = took.toSorted((a, b) => b.ms - a.ms);
  const last = `${slowest?.ms.toFixed(0)} ms after taut had ended (${slowest?.ending})`;
  process.stderr.write(`${took.length} endings; the slowest left nothing ${last}\n`);
});

const rows = ROWS.flatMap((ending) => ending.quick.map((way) => [way, ending.name, ending] as const));
test.each(rows)('%s leaves nothing tuned, and nothing of itself, after: %s', (way, _, ending) =>
  prove(crew, way, ending),
);
