/** What waits for a real agent is not slowed with its tools: a server of tools and a language server, while a tool runs. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { toolPriority } from '../../src/actuator/toolPriority.ts';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { ofThreads, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { entries } from '../support/waiting.ts';
import { Encounter, PLEASE } from './encounter.ts';
import { installAll, installed } from './install.ts';
import { MCP_SERVER, PROGRAMS } from './programs.ts';
import { World } from './world.ts';

const KNOB = toolPriority.id;
const AGENTS = PROGRAMS.filter(({ freely }) => freely !== undefined);

let world: World;

beforeAll(async () => {
  await Promise.all(installAll([...AGENTS, MCP_SERVER]).values());
  world = await World.open();
});

afterEach(() => world.endGuests());

afterAll(() => world[Symbol.asyncDispose]());

/** The nice values of all threads of some processes. */
function niceValues(pids: readonly number[]): number[] {
  const stats = pids.flatMap((pid) => ofThreads(pid, 'stat')).map(({ text }) => text);
  return stats.map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
}

const areAll = (pids: readonly number[], nice: number) =>
  pids.length > 0 && niceValues(pids).every((one) => one === nice);

test.each(AGENTS)(
  "$name's servers keep their priority while its shell has a lower one, and everything is put back",
  async (program) => {
    const rules = BUILTIN_RULES.filter(({ name }) => name === program.name);
    using sandbox = Sandbox.withRules(rules.map((rule) => ({ ...rule, cwd: `${world.dir}/*` })));
    const languageServer = join(sandbox.dir, 'fixture-language-server');
    copyFileSync(join(import.meta.dirname, 'fixtures/turns.py'), languageServer);
    const servers = [
      { name: 'files', command: installed(MCP_SERVER).command, args: [sandbox.dir] },
      { name: 'language', command: '/usr/bin/python3', args: [languageServer] },
    ];
    await using taut = await sandbox.watch('--optimize-tools');
    // It ends with this process, whatever becomes of the agent.
    const waiting = `tail --pid=${process.pid} -f ${sandbox.config}`;
    await using agent = await Encounter.begin(program, world, { prompt: `${PLEASE}${waiting}; true`, servers });
    const tools = () => agent.running(waiting);
    const helpers = () => [MCP_SERVER.command, languageServer].flatMap((words) => agent.running(words));

    await until('its tool runs', () => tools().length >= 2);
    await until('its servers run', () => helpers().length === servers.length);
    await until('the tool has it', () => areAll(tools(), 10));
    expect(new Set(niceValues([...helpers(), ...agent.runners()]))).toEqual(new Set([0]));
    // Nor was any of them taken for a tool at first: nothing had to be put back yet.
    const exported = sandbox.exports().length;
    await until('its operations are exported', () => sandbox.exports().length > exported + 1);
    const ofTools = sandbox.lastSums('taut.operations').map(({ attributes }) => attributes);
    expect(ofTools.filter((one) => one['taut.knob'] === KNOB && one['taut.operation'] === 'contain')).toEqual([]);

    expect(await taut.stop()).toBe(0);
    expect(new Set(niceValues([...tools(), ...helpers(), ...agent.runners()]))).toEqual(new Set([0]));
    expect(await entries(sandbox)).toBe(0);
  },
);
