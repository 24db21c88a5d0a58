/**
 * How much of their CPU time an agent's children have the agent's slice, which is theirs by birth until taut puts them back: by
 * taut's own metric, and by looks at those that run. With --descendants=inherit nobody is put back. Prints what it measured.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DESCENDANTS } from '../../src/actuator/descendants.ts';
import { schedSlice } from '../../src/actuator/schedSlice.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { optional, ProcHandle } from '../../src/proc/handle.ts';
import { Program, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';

/** What the agent has done, and by how many processes. */
const WORK = [
  { command: 'make 60', what: 'make -j4 of 60 files' },
  { command: 'compile 60', what: '60 compilers, four at once' },
  { command: 'true 1000', what: '1,000 times /bin/true, four at once' },
] as const;
const LOOK_MS = 5;

const say = (line: string) => process.stderr.write(`${line}\n`);
const percent = (part: number) => `${(100 * part).toFixed(2)}%`.padStart(8);

const below = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...below(child)]);

/** Of the descendants that run or wait for a CPU now, which have the agent's slice. */
function runningWithIt(agent: number): boolean[] {
  return below(agent).flatMap((pid) =>
    optional(() => {
      using process = new ProcHandle(pid);
      return process.stat().state === 'R' ? [BigInt(process.slice()) === schedSlice.defaultTarget] : [];
    }, []),
  );
}

async function counted(sandbox: Sandbox): Promise<number> {
  const { agents } = await sandbox.json<StatusDocument>('status');
  return agents[0]?.knobs.find(({ id }) => id === schedSlice.id)?.inheritedCpu ?? Number.NaN;
}

test("the agent's slice among its children", async () => {
  say(`${''.padEnd(40)} children's CPU   with the slice   (of looks)`);
  for (const descendants of DESCENDANTS.filter((one) => one !== 'tune')) {
    using sandbox = new Sandbox();
    const maker = join(import.meta.dirname, 'maker.py');
    await using agent = new Program('python3', [maker, sandbox.mark, sandbox.dir]);
    await agent.line(/^ready/);
    await using taut = await sandbox.watch(`--${schedSlice.option}`, '--descendants', descendants);
    say(`--descendants=${descendants}`);
    for (const { command, what } of WORK) {
      const [before, lines] = [await counted(sandbox), agent.lines.length];
      const looks: boolean[] = [];
      agent.say(command);
      while (agent.lines.length === lines) {
        looks.push(...runningWithIt(agent.pid));
        await setTimeout(LOOK_MS);
      }
      const ran = Number(agent.lines[lines]?.split(' ')[1]);
      expect(ran).toBeGreaterThan(0);
      await until('all have ended', () => below(agent.pid).length === 0);
      const withIt = (await counted(sandbox)) - before;
      const byTaut = descendants === 'contain' ? percent(withIt / ran) : 'not told';
      const seen = percent(looks.filter(Boolean).length / looks.length);
      say(`  ${what.padEnd(40)} ${ran.toFixed(2).padStart(10)} s       ${byTaut}     ${seen}`);
    }
    expect(await taut.stop()).toBe(0);
  }
});
