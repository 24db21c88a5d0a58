/** Processes that ask for a name that a rule lists are agents from then on, whatever way they ask. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask, tell } from '../support/conversation.ts';
import { until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { agents, asker, attached, evidence, modelClient } from '../support/world.ts';

const NAME = 'api.model.example';
const RULE = modelClient({ dns: ['*.model.example'] });

test.each([
  ['a connected UDP socket', 'udp'],
  ['an unconnected UDP socket', 'sendto'],
  ['sendmmsg, as the second of two', 'sendmmsg'],
  ['IPv6', 'udp6'],
  ['IPv6 with extension headers', 'extended'],
  ['an IPv6 socket to a mapped IPv4 address', 'mapped'],
  ['TCP, the length in a segment of its own', 'tcp'],
  ['the second question of a message', 'two'],
  ['a message with EDNS that is longer than what is looked at', 'big'],
  ['glibc', 'glibc'],
  ['a port that address translation changes, as in a container', 'translated'],
])('asked for by %s, a listed name makes exactly the asking process an agent', async (_, how) => {
  using sandbox = Sandbox.withRules([RULE]);
  await using program = await asker();
  await using other = await asker();
  await using taut = await sandbox.watch();
  await tell(other, `${how} elsewhere.example`);
  await tell(program, `${how} API.Model.EXAMPLE`); // 0x20: in any case
  await taut.line(/attached/);
  expect(await agents(sandbox)).toMatchObject([{ pid: program.pid, name: 'model-client', attachPath: 'dns' }]);
  expect(await evidence(sandbox, program.pid)).toContain(`asked for ${NAME}`);
  expect(attached(taut)).toEqual([program.pid]);
});

const CLIENT = join(FIXTURES, 'lookup.mjs');

test.each([
  ['dig', ['dig', '+tries=1', '@127.0.0.1']],
  ['dig +tcp', ['dig', '+tcp', '+tries=1', '@127.0.0.1']],
  ['dig over IPv6', ['dig', '+tries=1', '@::1']],
  ['c-ares (resolve4 of Node)', [process.execPath, CLIENT, 'resolve4']],
  ['lookup of Node', [process.execPath, CLIENT, 'lookup']],
  ["Python's asyncio", ['python3', join(FIXTURES, 'lookup.py')]],
])('a listed name that %s asks for makes exactly that process an agent', async (_, command) => {
  using sandbox = Sandbox.withRules([RULE]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  // Answered late, so that the client lives for as long as it waits.
  const pid = Number((await ask(program, ['run', ...command, 'slow.model.example'].join(' '))).split(' ')[1]);
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([pid]);
});

test('an answer that is cut off is asked for again over TCP, by the same process, which is sighted once', async () => {
  using sandbox = Sandbox.withRules([RULE]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  await tell(program, 'glibc long.model.example');
  await taut.line(/attached/);
  await tell(program, 'glibc long.model.example');
  expect(attached(taut)).toEqual([program.pid]);
  expect(await evidence(sandbox, program.pid)).toBe('asked for long.model.example, which matches "*.model.example"');
});

test.each([
  ['is no resolver when it is not listed', {}, 'port', 'udp'],
  ['is a resolver when it is listed', { dnsPorts: [5454] }, 'udp', 'port'],
])('a port other than 53 %s', async (_, more, unseen, seen) => {
  using sandbox = Sandbox.withRules([RULE], more);
  await using program = await asker();
  await using other = await asker();
  await using taut = await sandbox.watch();
  await tell(other, `${unseen} ${NAME}`);
  await tell(program, `${seen} ${NAME}`);
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([program.pid]);
});

test('deny wins by name, too, also over a process that was an agent before', async () => {
  using sandbox = Sandbox.withRules([RULE, { id: 'never', action: 'deny', dns: 'forbidden.example' }]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  await tell(program, `udp ${NAME}`);
  await taut.line(/attached/);
  await tell(program, 'udp forbidden.example');
  await until('it is let go', async () => (await agents(sandbox)).length === 0);
  expect(await sandbox.json('explain', String(program.pid), '--config', sandbox.config)).toMatchObject({
    decision: 'deny',
    rule: 'never',
  });
});
