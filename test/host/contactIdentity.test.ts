/** What the network saw is of a process, not of an id: an id that was given out again meanwhile is nobody's evidence. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { NetworkSighting } from '../../src/discovery/network/sighting.ts';
import { NetworkSource } from '../../src/discovery/network/source.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { ask, tell } from '../support/conversation.ts';
import { Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { asker, attached, modelClient } from '../support/world.ts';

test('who has the id of a process that connected and has ended is not taken for it', async () => {
  await using server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  using sandbox = Sandbox.withRules([modelClient({ connect: `127.0.0.1:${port}` })]);
  await using taut = await sandbox.watch();
  await using swapper = new Program('python3', [join(FIXTURES, 'swap.py')]);
  await swapper.line(/^ready/);
  const pidOf = (line: string) => Number(line.split(' ')[1]);
  for (let swapped = false; !swapped; ) {
    taut.child.kill('SIGSTOP'); // hears of it later
    const connected = once(server, 'connection');
    const pid = pidOf(await ask(swapper, `make ${port}`));
    await connected;
    await setTimeout(50); // some clock ticks: processes of the same tick can't be told apart
    swapped = pidOf(await ask(swapper, 'swap')) === pid;
    taut.child.kill('SIGCONT');
  }
  await using other = new Program('python3', [join(FIXTURES, 'swap.py')]);
  await other.line(/^ready/);
  const made = pidOf(await ask(other, `make ${port}`));
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([made]);
  await taut.stop();
  const outcomes = sandbox.lastSums('taut.operations').filter((sum) => sum.attributes['taut.operation'] === 'sight');
  expect(outcomes.map((sum) => sum.attributes['taut.outcome'])).toContain('vanished');
});

test('each contact says when its process started, and of which it is, also where another context sends', async () => {
  const sightings: NetworkSighting[] = [];
  using _source = new NetworkSource({
    dnsPorts: [53],
    connections: true,
    wantsName: () => true,
    onSighting: (sighting) => sightings.push(sighting),
  });
  await using program = await asker();
  const { startTicks } = new ProcHandle(program.pid).stat();
  for (const words of ['udp a.example', 'tcp b.example', 'connect ::1 4343', 'tls nagle c.example'])
    await tell(program, words);
  const own = () => sightings.filter(({ pid }) => pid === program.pid);
  const seen = () => own().map((s) => (s.kind === 'name' ? s.name : (s.contact.serverName?.name ?? s.contact.port)));
  await until('all are seen', () => seen().includes('c.example'));
  expect(seen()).toEqual(['a.example', 'b.example', 4343, 4343, 'c.example']);
  expect(own().map((sighting) => sighting.startTicks)).toEqual(Array(5).fill(startTicks));
});
