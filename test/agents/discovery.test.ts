import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox } from '../support/taut.ts';
import { Encounter } from './encounter.ts';
import { installAll } from './install.ts';
import { attachments } from './measured.ts';
import { PROGRAMS } from './programs.ts';
import { ms, printTable } from './table.ts';
import { World } from './world.ts';

let world: World;
/** Where nobody asks for names. */
let quiet: World;
/** How long each path took, the slowest of an agent's processes, by its name. */
const times = new Map<string, string[]>();

beforeAll(async () => {
  await Promise.all(installAll(PROGRAMS).values());
  world = await World.open();
  quiet = await World.open('hosts');
});

afterAll(async () => {
  const head = [
    'agent',
    'by command line, after its exec',
    'after its start by a DNS name',
    'by a connection',
    'by a TLS server name',
  ];
  printTable(
    'found and measured',
    head,
    [...times].map(([name, cells]) => [name, ...cells]),
  );
  await Promise.all([world[Symbol.asyncDispose](), quiet[Symbol.asyncDispose]()]);
});

/** Notes for the table how long it took; the spans are there once taut has ended. */
function note(
  { program, startedAtMs }: Encounter,
  sandbox: Sandbox,
  pids: readonly number[],
  since: 'sighting' | 'start',
) {
  const found = [...attachments(sandbox)].filter(([pid]) => pids.includes(pid)).map(([, span]) => span);
  const took = Math.max(...found.map(({ atMs, tookMs }) => (since === 'sighting' ? tookMs : atMs - startedAtMs)));
  times.set(program.name, [...(times.get(program.name) ?? []), ms(took)]);
}

const pids = (agents: readonly { readonly pid: number }[]) => agents.map(({ pid }) => pid);

describe.each(PROGRAMS)('$name $version', (program) => {
  test('is found by its command line, live and at the start, by the built-in rules alone', async () => {
    using sandbox = Sandbox.withRules([], { builtin: true });
    await using live = await sandbox.watch();
    await using agent = await Encounter.begin(program, world);
    const seen = await agent.foundExactly(sandbox, () => agent.runners());
    expect(seen.map(({ name, attachPath }) => `${name} by ${attachPath}`)).toEqual(
      seen.map(() => `${program.name} by cmdline`),
    );
    expect(pids(seen)).toEqual(expect.arrayContaining(agent.workers()));
    await live.stop();
    note(agent, sandbox, pids(seen), 'sighting');

    await using later = await sandbox.watch();
    expect((await agent.agents(sandbox)).map(({ pid, name }) => [pid, name])).toEqual(
      agent.runners().map((pid) => [pid, program.name]),
    );
    await later.stop();
    expect(await agent.end()).toBe(0);
  });

  test('is found by the name that it asks for, the process that asks and no other', async () => {
    using sandbox = Sandbox.withRules([{ id: 'names', name: 'by-name', dns: [program.host] }]);
    await using live = await sandbox.watch();
    await using agent = await Encounter.begin(program, world);
    const seen = await agent.foundExactly(sandbox, () => agent.workers());
    expect(seen).toMatchObject(seen.map(() => ({ name: 'by-name', attachPath: 'dns', rule: 'names' })));
    await live.stop();
    note(agent, sandbox, pids(seen), 'start');
  });

  test('is found by its connection, when it is made and when it is there already', async () => {
    using sandbox = Sandbox.withRules([{ id: 'peers', name: 'by-peer', connect: [`${program.address}:443`] }]);
    await using live = await sandbox.watch();
    await using agent = await Encounter.begin(program, world);
    const seen = await agent.foundExactly(sandbox, () => agent.workers());
    expect(seen).toMatchObject(seen.map(() => ({ name: 'by-peer', attachPath: 'connection', rule: 'peers' })));
    await live.stop();
    note(agent, sandbox, pids(seen), 'start');

    await using _later = await sandbox.watch();
    const again = await agent.foundExactly(sandbox, () => agent.workers());
    expect(pids(again)).toEqual(pids(seen));
  });

  test('is found by the server name of its TLS, where its name is asked for by nobody', async () => {
    using sandbox = Sandbox.withRules([{ id: 'names', name: 'by-name', dns: [program.host] }]);
    await using live = await sandbox.watch();
    await using agent = await Encounter.begin(program, quiet);
    const seen = await agent.foundExactly(sandbox, () => agent.workers());
    expect(seen).toMatchObject(seen.map(() => ({ name: 'by-name', attachPath: 'connection', rule: 'names' })));
    const evidence = await agent.evidence(sandbox, pids(seen));
    expect(evidence).toEqual(seen.map(() => expect.stringContaining(`TLS server name ${program.host}`)));
    await live.stop();
    note(agent, sandbox, pids(seen), 'start');
  });
});
