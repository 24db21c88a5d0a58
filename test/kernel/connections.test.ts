/** Processes that are connected to whom a rule lists are agents, whether the connection was there before or is made. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/status.ts';
import { tell } from './conversation.ts';
import { Program, until } from './program.ts';
import { Bench, FIXTURES } from './taut.ts';

function benchFor(...patterns: string[]): Bench {
  const bench = new Bench();
  const rule = { id: 'model', name: 'model-client', connect: patterns };
  writeFileSync(bench.config, JSON.stringify({ version: 1, builtin: false, rules: [rule] }));
  return bench;
}

/** In a network namespace of its own, with loopback servers on ports 4343 and 4344. */
async function connector(): Promise<Program> {
  const world =
    'mount -t tmpfs none /mnt && echo nameserver 127.0.0.1 > /mnt/r && mount --bind /mnt/r /etc/resolv.conf';
  const script = join(FIXTURES, 'asker.py');
  const program = new Program('unshare', ['--net', '--mount', 'sh', '-c', `${world} && exec python3 "$0"`, script]);
  await program.line(/^ready/);
  return program;
}

const agents = async (bench: Bench) => (await bench.json<StatusDocument>('status')).agents;

test.each([
  ['a port', ':4343', '127.0.0.1 4343', '127.0.0.1 4344'],
  ['an address and port', '127.0.0.1:4344', '127.0.0.1 4344', '127.0.0.1 4343'],
  ['a network', '127.0.0.0/8:4343', '127.0.0.1 4343', '::1 4343'],
  ['an IPv6 address', '[::1]:4343', '::1 4343', '127.0.0.1 4343'],
  ['a name that was resolved', 'api.*.example:4343', 'api.model.example 4343', 'api.model.example 4344'],
])('connecting to %s that is listed makes just the connecting process an agent', async (_, pattern, listed, other) => {
  using bench = benchFor(pattern);
  await using program = await connector();
  await using stranger = await connector();
  await using taut = await bench.watch();
  await tell(stranger, `connect ${other}`);
  await tell(program, `connect ${listed}`);
  await taut.line(/attached/);
  expect(await agents(bench)).toMatchObject([{ pid: program.pid, name: 'model-client', attachPath: 'connection' }]);
});

test('a connection that is there already is found at the start, with every process that holds it', async () => {
  using bench = benchFor(':4343');
  await using program = await connector();
  await using stranger = await connector();
  await tell(program, 'connect 127.0.0.1 4343');
  await tell(program, 'fork');
  await tell(stranger, 'connect 127.0.0.1 4344');
  const child = Number((await program.line(/^child/)).split(' ')[1]);
  await using _taut = await bench.watch();
  await until('both holders are agents', async () => (await agents(bench)).length === 2);
  expect(new Set((await agents(bench)).map((a) => a.pid))).toEqual(new Set([program.pid, child]));
});
