/** What holds after every ending. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Span, spansOf, type TraceRequest } from '../../support/otlp.ts';
import { attribute } from '../../support/spans.ts';
import type { Crew } from './crew.ts';
import type { Ending } from './ending.ts';
import { Life, NOTHING, type Way } from './life.ts';

/** How long others took to put back what a taut that was dead at once had left, and the rest to be gone: to be read. */
export const took: { readonly ending: string; readonly ms: number }[] = [];

/** Ends taut so, and holds what is left against what is to be. */
export async function prove(crew: Crew, way: Way, ending: Ending): Promise<void> {
  await using life = await Life.start(crew, way, ending.start);
  await ending.end(life);
  await life.ended();
  // Strict: no time is in it. Its guard may live a little longer.
  const atExit = life.leftovers();
  const since = performance.now();
  if (ending.by === 'itself')
    expect
      .soft(
        atExit.replace(/^guard$/, NOTHING),
        `left as it ended; it said:\n${life.program.errors.slice(-20).join('\n')}\n`,
      )
      .toBe(NOTHING);
  expect.soft(await life.settled(), 'left after it ended').toBe(NOTHING);
  took.push({ ending: `${way}: ${ending.name}`, ms: performance.now() - since });
  if (ending.exit !== undefined) expect.soft(await life.program.ended, 'exit status').toBe(ending.exit);
  if (!ending.isMistake) expect.soft(life.program.errors.filter((line) => /^ {4}at \S/.test(line))).toEqual([]);
  if (ending.by === 'itself' && !ending.losesTraces && way !== 'package') isTraced(life, ending);
}

/** The traces say what was done to each agent, from the first to the last. */
function isTraced(life: Life, { reachesSample }: Ending): void {
  const spans = everySpan(life.sinkDir);
  const byAgent = Map.groupBy(spans, (span) => attribute(span, 'process.pid'));
  const names = ['attach', 'gate', 'tune', 'verify', ...(life.way === 'demo' && reachesSample ? [] : ['revert'])];
  const lacking = life.agents.flatMap((pid) => {
    const own = new Set(byAgent.get(String(pid))?.map(({ name }) => name));
    const missing = names.filter((name) => !own.has(name));
    return missing.length > 0 ? [`${pid} has no ${missing.join()}`] : [];
  });
  expect.soft(lacking, 'traces').toEqual([]);
  expect.soft(new Set(spans.map(({ spanId }) => spanId)).size, 'ids of spans').toBe(spans.length);
}

function everySpan(dir: string): Span[] {
  const file = join(dir, 'otlp/traces.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return spansOf(lines.filter((line) => line !== '').map((line) => JSON.parse(line) as TraceRequest));
}
