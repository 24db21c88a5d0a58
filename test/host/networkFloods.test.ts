/** One process asks for names, or connects, all the time: what others ask for, and whom they connect to, is seen. */
import { expect, test } from 'vitest';
import { holdsSocket } from '../../src/proc/sockets.ts';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { Program } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { asker, attached, modelClient } from '../support/world.ts';

const flood = compiled('flood');
const NAME = 'api.model.example';

test.each([
  ['names', 'dns', 'questions for names', { dns: NAME }, `udp ${NAME}`],
  ['connections', 'connect', 'reports of new connections', { connect: ':4343' }, 'connect 127.0.0.1 4343'],
])('%s: 50,000 of one process leave room for one of another, and are counted', async (...how) => {
  const [, kind, what, conditions, command] = how;
  using sandbox = Sandbox.withRules([modelClient(conditions)]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  taut.child.kill('SIGSTOP');
  await using flooding = new Program(flood, [kind, '50000']);
  await flooding.line(/^done/);
  await tell(program, command);
  taut.child.kill('SIGCONT');
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([program.pid]);
  const lost = await taut.line(new RegExp(`lost \\d+ ${what}`));
  expect(Number(/lost (\d+)/.exec(lost)?.[1])).toBeGreaterThan(10_000);
});

test('names: who asks for names for ever is named, with its user', async () => {
  using sandbox = Sandbox.withRules([modelClient({ dns: NAME })]);
  await using taut = await sandbox.watch();
  await using flooding = new Program(flood, ['dns', '0', '4242']);
  await taut.line(new RegExp(`questions for names; .* user 4242 \\(process ${flooding.pid}, for one\\)`));
});

test('a connection that was held back, as its process made 1,000 before, is found among those that there are', async () => {
  using sandbox = Sandbox.withRules([modelClient({ connect: '127.0.0.1:4343' })]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  await tell(program, 'connect-after 127.0.0.1 4343 1000');
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([program.pid]);
  await taut.line(/lost \d+ reports of new connections; looking at the TCP connections/);
});

test('15,000 descriptors of a process are searched while everything else goes on', async () => {
  const open = 'import os, time; [os.dup(0) for _ in range(15_000)]; print("ready", flush=True); time.sleep(1_000)';
  await using program = new Program('prlimit', ['--nofile=16000', 'python3', '-c', open]);
  await program.line(/^ready/);
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  const search = holdsSocket(program.pid, [0xffff_ffff], 65_536).finally(() => {
    isDone = true;
  });
  turn();
  expect(await search).toBe(false);
  expect(turns).toBeGreaterThan(10);
});
