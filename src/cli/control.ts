/** How commands reach a running daemon: one JSON line each way over a Unix socket that only root can open. */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { bigintAsNumber } from './options.ts';
import { socketPath } from './sockets.ts';

const requestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('status') }),
  z.strictObject({ op: z.literal('explain'), pid: z.int().positive() }),
  z.strictObject({ op: z.literal('last'), n: z.int().positive().max(4096) }),
  z.strictObject({ op: z.literal('restore'), pids: z.array(z.int().positive()).max(1_000_000) }),
  z.strictObject({
    op: z.literal('adopt'),
    pid: z.int().positive(),
    startTicks: z.int(),
    command: z.array(z.string()).min(1),
    targets: z.record(z.string(), z.int().positive()),
  }),
]);

export type Request = z.infer<typeof requestSchema>;

type Answer = (request: Request) => unknown;

const MAX_REQUEST = 16 << 20;
const MAX_REPLY = 64 << 20;
const PATIENCE_MS = 5_000;

/** Serves requests until it is closed. Nobody else serves at this path, so a leftover socket is stale. */
export async function serve(path: string, answer: Answer): Promise<AsyncDisposable> {
  rmSync(path, { force: true });
  const server = createServer((socket) => handle(socket, answer));
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  server.unref();
  return { [Symbol.asyncDispose]: () => close(server, path) };
}

function handle(socket: Socket, answer: Answer): void {
  let text = '';
  socket.unref();
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.length > MAX_REQUEST) socket.destroy();
    else if (text.includes('\n')) void reply(text, answer).then((line) => socket.end(`${line}\n`));
  });
}

async function reply(text: string, answer: Answer): Promise<string> {
  try {
    return JSON.stringify({ ok: await answer(requestSchema.parse(JSON.parse(text))) }, bigintAsNumber);
  } catch (error) {
    return JSON.stringify({ error: (error as Error).message });
  }
}

async function close(server: Server, path: string): Promise<void> {
  server.close();
  rmSync(path, { force: true });
}

/** Asks a running daemon. Undefined when none runs (or it may not be reached). @throws Error when it refuses. */
export function ask<T>(stateDir: string, request: Request): Promise<T | undefined> {
  return askAt(socketPath(stateDir), request);
}

/** The same, of whoever serves at a socket. */
export function askAt<T>(path: string, request: Request): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('the daemon does not answer')));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_REPLY) socket.destroy(new Error('the answer is too long'));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    socket.on('end', () => {
      try {
        const message = JSON.parse(text) as { ok?: T; error?: string };
        if (message.error !== undefined) reject(new Error(message.error));
        else resolve(message.ok);
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}
