/** Processes that are connected to whom a rule lists are agents, whether the connection was there before or is made. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ask, tell } from '../support/conversation.ts';
import { Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { agents, asker, attached, modelClient } from '../support/world.ts';

test.each([
  ['a port', ':4343', 'connect 127.0.0.1 4343', 'connect 127.0.0.1 4344'],
  ['an address and port', '127.0.0.1:4344', 'connect 127.0.0.1 4344', 'connect 127.0.0.1 4343'],
  ['a network', '127.0.0.0/8:4343', 'connect 127.0.0.1 4343', 'connect ::1 4343'],
  ['an IPv6 address', '[::1]:4343', 'connect ::1 4343', 'connect 127.0.0.1 4343'],
  ['an address, by way of a mapped one,', '127.0.0.1:4343', 'connect ::ffff:127.0.0.1 4343', 'connect ::1 4343'],
  ['a port, by UDP,', ':4343', 'connect-udp 127.0.0.1 4343', 'connect-udp 127.0.0.1 4344'],
  ['a port, by a thread that does not wait,', ':4343', 'connect-at-once ::1 4343', 'connect-at-once 127.0.0.1 4344'],
  [
    'a name that was resolved',
    'api.*.example:4343',
    'connect api.model.example 4343',
    'connect api.model.example 4344',
  ],
  [
    'a name that was resolved by way of another',
    'alias.*.example:4343',
    'connect alias.model.example 4343',
    'connect alias.model.example 4344',
  ],
])('connecting to %s that is listed makes just the connecting process an agent', async (_, pattern, listed, other) => {
  using sandbox = Sandbox.withRules([modelClient({ connect: pattern })]);
  await using program = await asker();
  await using stranger = await asker();
  await using taut = await sandbox.watch();
  await tell(stranger, other);
  await tell(program, listed);
  await taut.line(/attached/);
  expect(await agents(sandbox)).toMatchObject([{ pid: program.pid, name: 'model-client', attachPath: 'connection' }]);
  expect(attached(taut)).toEqual([program.pid]);
});

test('a connection that is there already is found at the start, with every process that holds it', async () => {
  using sandbox = Sandbox.withRules([modelClient({ connect: ':4343' })]);
  await using program = await asker();
  await using stranger = await asker();
  await tell(program, 'connect ::ffff:127.0.0.1 4343');
  const child = Number((await ask(program, 'fork')).split(' ')[1]);
  await tell(stranger, 'connect 127.0.0.1 4344');
  await using _taut = await sandbox.watch();
  await until('both holders are agents', async () => (await agents(sandbox)).length === 2);
  expect(new Set((await agents(sandbox)).map((a) => a.pid))).toEqual(new Set([program.pid, child]));
});

test('whom a connection was given to over a Unix socket is found at the next look', async () => {
  using sandbox = Sandbox.withRules([modelClient({ connect: ':4343' })]);
  await using program = await asker();
  const heir = Number((await ask(program, 'adopt')).split(' ')[1]);
  await tell(program, 'connect 127.0.0.1 4343');
  await tell(program, 'hand-over');
  await using taut = await sandbox.watch();
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([heir]);
});

test.each(['udp', 'tcp'])(
  'whose address a name is, is known from an answer over %s, to whoever it was given',
  async (how) => {
    using sandbox = Sandbox.withRules([modelClient({ connect: 'api.model.example:4343' })]);
    await using program = await asker();
    await using taut = await sandbox.watch();
    await tell(program, `${how} api.model.example`);
    await tell(program, 'connect 127.0.0.1 4343');
    await taut.line(/attached/);
    expect(attached(taut)).toEqual([program.pid]);
  },
);

test('an address is no longer a name that it had when the answer has run out', async () => {
  using sandbox = Sandbox.withRules([modelClient({ connect: ['brief.model.example:4343', ':4344'] })]);
  await using program = await asker();
  await using late = await asker();
  await using taut = await sandbox.watch();
  await tell(program, 'udp brief.model.example');
  await tell(program, 'connect 127.0.0.1 4343');
  await taut.line(/attached/);
  await setTimeout(7_000); // one second that the answer says, and five of grace
  await tell(late, 'connect 127.0.0.1 4343');
  await using other = await asker();
  await tell(other, 'connect 127.0.0.1 4344');
  await taut.line(new RegExp(`attached.*\\(${other.pid}\\)`));
  expect(attached(taut)).toEqual([program.pid, other.pid]);
});

test('an application that uses the package finds by connections as the command does', async () => {
  using sandbox = Sandbox.withRules([modelClient({ connect: ':4343' })]);
  await using before = await asker();
  await using after = await asker();
  await tell(before, 'connect 127.0.0.1 4343');
  const script = join(FIXTURES, 'libraryUser.ts');
  await using user = new Program(process.execPath, [script, sandbox.stateDir, sandbox.config, '1']);
  await user.line(/^watching/);
  expect(attached(user)).toEqual([before.pid]);
  await tell(after, 'connect 127.0.0.1 4343');
  await until('the other is found', () => attached(user).length === 2);
  expect(attached(user)).toEqual([before.pid, after.pid]);
  user.say('exits');
  await user.ended;
});
