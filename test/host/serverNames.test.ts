/** A TLS server name tells whom a connection is to where the name was resolved by another, or not asked for at all. */
import { expect, test } from 'vitest';
import { ask, tell } from '../support/conversation.ts';
import { until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { agents, asker, attached, evidence, modelClient } from '../support/world.ts';

const NAME = 'api.model.example';

test.each([
  ['whole', 'IPv4', '127.0.0.1'],
  ['whole', 'IPv6', '::1'],
  ['whole', 'a mapped address', '::ffff:127.0.0.1'],
  ['split', 'IPv4', '127.0.0.1'],
  ['bytes', 'IPv4', '127.0.0.1'],
  ['nagle', 'IPv4', '127.0.0.1'],
  ['large', 'IPv4', '127.0.0.1'],
  ['huge', 'IPv6', '::1'],
  ['records', 'IPv4', '127.0.0.1'],
])('a ClientHello (%s, %s) for a listed name makes exactly its process an agent', async (how, _, host) => {
  using sandbox = Sandbox.withRules([modelClient({ dns: '*.model.example' })]);
  await using program = await asker();
  await using stranger = await asker();
  await using taut = await sandbox.watch();
  await tell(stranger, `tls ${how} elsewhere.example ${host}`);
  const bytes = Number((await ask(program, `tls ${how} ${NAME} ${host}`)).split(' ')[1]);
  if (how === 'large') expect(bytes).toBeGreaterThan(1_700);
  if (how === 'huge') expect(bytes).toBeGreaterThan(6_000);
  await taut.line(/attached/);
  expect(await agents(sandbox)).toMatchObject([{ pid: program.pid, name: 'model-client', attachPath: 'connection' }]);
  expect(await evidence(sandbox, program.pid)).toBe(`TLS server name ${NAME}, which matches "*.model.example"`);
  expect(attached(taut)).toEqual([program.pid]);
});

test('a server name is also what a rule about connections lists, with its port', async () => {
  using sandbox = Sandbox.withRules([modelClient({ connect: `${NAME}:4343` })]);
  await using program = await asker();
  await using stranger = await asker();
  await using taut = await sandbox.watch();
  await tell(stranger, `tls whole ${NAME} 127.0.0.1 4344`);
  await tell(program, `tls whole ${NAME} 127.0.0.1 4343`);
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([program.pid]);
  expect(await evidence(sandbox, program.pid)).toContain(`TLS server name ${NAME} port 4343`);
});

test('a name beside an encrypted ClientHello is said to be the outer one', async () => {
  using sandbox = Sandbox.withRules([modelClient({ dns: NAME })]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  await tell(program, `tls ech ${NAME}`);
  await taut.line(/attached/);
  expect(await evidence(sandbox, program.pid)).toContain(`TLS server name ${NAME} (outer name; ECH)`);
});

test('what comes after something else than TLS is not looked at', async () => {
  using sandbox = Sandbox.withRules([modelClient({ dns: NAME })]);
  await using program = await asker();
  await using other = await asker();
  await using taut = await sandbox.watch();
  await tell(other, 'connect 127.0.0.1 4343');
  await tell(other, 'say hello');
  await tell(program, `tls whole ${NAME}`);
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([program.pid]);
});

test('every process that holds a connection with a listed server name is found at the next look', async () => {
  using sandbox = Sandbox.withRules([modelClient({ dns: NAME })]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  await tell(program, `tls whole ${NAME}`);
  await taut.line(/attached/);
  const child = Number((await ask(program, 'fork')).split(' ')[1]);
  taut.child.kill('SIGHUP'); // reads the rules again, and looks
  await until('both are agents', async () => (await agents(sandbox)).length === 2);
  expect(attached(taut)).toEqual([program.pid, child]);
});
