/** A server of lines, and clients that use it as they should not: each is bounded, and the others are answered. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { askLine } from '../../src/cli/lineClient.ts';
import { type Bounds, serveLines } from '../../src/cli/lineServer.ts';
import { SharedReplies } from '../../src/cli/sharedReplies.ts';
import { until } from '../support/program.ts';

const dir = mkdtempSync(join(tmpdir(), 'taut-lines-'));
afterAll(() => rmSync(dir, { recursive: true }));

const BOUNDS: Bounds = { clients: 8, perSecond: Number.POSITIVE_INFINITY, bytes: 4_096, held: 1 << 20, ms: 60_000 };
let n = 0;

class Server implements AsyncDisposable {
  readonly path = join(dir, `${++n}.sock`);
  readonly #sockets: Socket[] = [];
  #server: AsyncDisposable | undefined;

  async start(bounds: Partial<Bounds>, reply: (line: string) => string | Promise<string | Buffer>): Promise<this> {
    const options = { path: this.path, mode: 0o600, onProblem: () => {} };
    this.#server = await serveLines({ ...options, bounds: { ...BOUNDS, ...bounds }, reply });
    return this;
  }

  /** A client that has connected. It reads nothing unless it is told to. */
  async client(): Promise<Socket> {
    const socket = connect(this.path).on('error', () => {});
    this.#sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#server?.[Symbol.asyncDispose]();
  }
}

const echo = (line: string) => `${line}!`;

/** Resolves when the connection is closed, also after an error. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

test('a request without end is ended at the bound, and others are answered meanwhile', async () => {
  await using server = await new Server().start({}, echo);
  const endless = (await server.client()).resume();
  const ended = closed(endless);
  endless.write('x'.repeat(BOUNDS.bytes - 1));
  expect(await askLine(server.path, 'a')).toBe('a!\n');
  expect(endless.destroyed).toBe(false);
  endless.write('xx');
  await ended;
});

test('who sends a byte now and then is ended in time, however often it does', async () => {
  await using server = await new Server().start({ ms: 300 }, echo);
  const trickling = (await server.client()).resume();
  const timer = setInterval(() => trickling.write('x'), 10);
  await closed(trickling);
  clearInterval(timer);
});

test('whoever asks is answered beside any number of clients that do not ask, and the oldest of these are let go', async () => {
  await using server = await new Server().start({}, echo);
  const silent: Socket[] = [];
  for (let i = 0; i < 3 * BOUNDS.clients; i++) {
    silent.push((await server.client()).resume());
    expect(await askLine(server.path, 'a')).toBe('a!\n');
  }
  const isOpen = () => silent.map((socket) => !socket.destroyed);
  const expected = silent.map((_, i) => i > 2 * BOUNDS.clients);
  await until('the newest are left', () => JSON.stringify(isOpen()) === JSON.stringify(expected));
});

test('a client whose answer is being made is not let go for those that come after it', async () => {
  const made = Promise.withResolvers<string>();
  let asked = 0;
  const reply = (line: string) => {
    asked++;
    return line === 'slow' ? made.promise : echo(line);
  };
  await using server = await new Server().start({}, reply);
  const slow = Array.from({ length: BOUNDS.clients }, () => askLine(server.path, 'slow'));
  await until('all have asked', () => asked === BOUNDS.clients);
  const late = await server.client();
  await closed(late.resume()); // there is no room for one more
  made.resolve('done');
  expect(await Promise.all(slow)).toEqual(slow.map(() => 'done\n'));
  expect(await askLine(server.path, 'a')).toBe('a!\n');
});

test('answers that nobody reads, and requests without end, hold no more than the bound together', async () => {
  const long = 'x'.repeat(400_000);
  await using server = await new Server().start({ clients: 100 }, () => long);
  const silent: Socket[] = [];
  for (let i = 0; i < 20; i++) {
    const socket = await server.client();
    socket.pause().write('a\n');
    silent.push(socket);
  }
  expect(await askLine(server.path, 'a')).toBe(`${long}\n`);
  // Those that were let go get what the kernel had of their answer, and no end of it.
  const got = await Promise.all(silent.map(async (socket) => (await socket.toArray()).join('').length));
  expect(got.filter((length) => length === long.length + 1).length).toBeLessThanOrEqual(3);

  const pieces = await new Server().start({ clients: 100, bytes: 1 << 20, held: 100_000 }, echo);
  await using _pieces = pieces;
  const trickling = (await pieces.client()).resume();
  const ended = closed(trickling);
  // One at a time, so that each is a piece of its own.
  while (!trickling.destroyed) {
    trickling.write('x');
    await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))]);
  }
  expect(trickling.bytesWritten).toBeLessThan(90_000);
});

test('more clients at once than the kernel lets wait are all answered', async () => {
  await using server = await new Server().start({ clients: 1_024 }, echo);
  const answers = await Promise.all(Array.from({ length: 700 }, (_, i) => askLine(server.path, String(i))));
  expect(answers).toEqual(answers.map((_, i) => `${i}!\n`));
});

test('equal requests share an answer that is not begun yet, and no other', async () => {
  let made = 0;
  const shared = new SharedReplies(async (line) => `${line} ${++made}`);
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => shared.to(i % 2 === 0 ? 'a' : 'b')));
  expect(new Set(answers.map(String))).toEqual(new Set(['a 1', 'b 2']));
  expect(String(await shared.to('a'))).toBe('a 3');
});
