/** A daemon whose sockets are used as they should not be: it answers, finds agents, and its memory is bounded. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';
import { agents } from '../support/world.ts';

const MIB = 1 << 20;

/** Clients of a socket, which are ended with the test. */
class Crowd implements Disposable {
  readonly sockets: Socket[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Connects one more, however long the daemon takes to have room for it. */
  async join(): Promise<Socket> {
    for (;;) {
      const socket = connect(this.#path);
      const connected = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).on('error', () => resolve(false));
      });
      if (!connected) continue;
      this.sockets.push(socket);
      return socket;
    }
  }

  [Symbol.dispose](): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

test('beside 2,000 clients that say nothing, others are answered, and agents are found', async () => {
  using sandbox = new Sandbox();
  await using _taut = await sandbox.watch();
  using crowd = new Crowd(join(sandbox.stateDir, 'taut.sock'));
  for (let i = 0; i < 2_000; i++) (await crowd.join()).resume();
  const open = () => crowd.sockets.filter((socket) => !socket.destroyed).length;
  await until('those beyond the bound are let go', () => open() <= 1_024);
  await using agent = await sleeper(sandbox);
  await until('it is found', async () => (await agents(sandbox)).some(({ pid }) => pid === agent.pid));
});

test('requests without end are not kept beyond a bound', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch();
  const mostMib = () =>
    Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${taut.pid}/status`, 'latin1'))?.[1]) / 1_024;
  const before = mostMib();
  using crowd = new Crowd(join(sandbox.stateDir, 'taut.sock'));
  const endless = Buffer.alloc(15 * MIB, 'x');
  for (let i = 0; i < 40; i++) {
    const socket = (await crowd.join()).resume();
    await new Promise<void>((resolve) => {
      socket.write(endless, () => resolve());
      socket.once('close', () => resolve());
    });
  }
  expect(await agents(sandbox)).toEqual([]);
  expect(mostMib() - before).toBeLessThan(300);
});
