/** A Unix socket server: it takes one line and answers with one, within bounds, because a client may be a stranger. */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Limits, LineClients } from './lineClients.ts';

export interface Bounds extends Limits {
  /** Most connections per second. Then the server stops listening until the second ends: even a refusal costs work. */
  readonly perSecond: number;
  /** Longest request. */
  readonly bytes: number;
  /** Longest connection in milliseconds: the request, and the reading of the answer. */
  readonly ms: number;
}

type Reply = (line: string) => string | Buffer | Promise<string | Buffer>;

export interface LineServerOptions {
  readonly path: string;
  readonly mode: number;
  readonly bounds: Bounds;
  /** Must not throw or reject. */
  readonly reply: Reply;
  /** The server could not accept a connection, for instance because no descriptor was free. */
  readonly onProblem: (message: string) => void;
}

const SECOND_MS = 1_000;
/** What a piece of a request takes beside its bytes: a client may send them one at a time. */
const PIECE_BYTES = 256;

/** Serves until it is disposed of. A file at the path is removed: the caller ensures that nobody else serves there. */
export async function serveLines(options: LineServerOptions): Promise<AsyncDisposable> {
  const { path, bounds, reply, onProblem } = options;
  const clients = new LineClients(bounds);
  const server = createServer((socket) => handle(socket, bounds, clients, reply));
  const listening = new Promise<void>((resolve, reject) => server.once('error', reject).once('listening', resolve));
  listen(server, options);
  await listening;
  server.on('error', (error) => onProblem(`${path}: ${error.message}`));
  const limiting = limitRate(server, bounds.perSecond, () => listen(server, options));
  return {
    async [Symbol.asyncDispose]() {
      limiting[Symbol.dispose]();
      server.close();
      rmSync(path, { force: true });
    },
  };
}

/** `listen` makes the socket with the final mode at once, so that no user has more access even for an instant. */
function listen(server: Server, { path, mode }: LineServerOptions): void {
  rmSync(path, { force: true });
  const mask = process.umask(0o777 & ~mode);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  server.unref();
}

/** Stops listening after `perSecond` connections within a second, until that second is over. */
function limitRate(server: Server, perSecond: number, listenAgain: () => void): Disposable {
  let come = 0;
  let timer: NodeJS.Timeout | undefined;
  const count = () => {
    if (come++ === 0)
      timer = setTimeout(() => {
        come = 0;
        if (!server.listening) listenAgain();
      }, SECOND_MS).unref();
    if (come >= perSecond && server.listening) server.close();
  };
  server.on('connection', count);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function handle(socket: Socket, { bytes: limit, ms }: Bounds, clients: LineClients, reply: Reply): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const deadline = setTimeout(() => socket.destroy(), ms).unref();
  socket.unref();
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(deadline));
  clients.add(socket);
  const answer = async (line: string) => {
    const said = await reply(line);
    const text = typeof said === 'string' ? Buffer.from(said) : said;
    clients.is(socket, 'reading', text.length);
    socket.write(text, () => clients.is(socket, 'reading', 0));
    socket.end('\n');
  };
  const take = (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > limit) return void socket.destroy();
    const end = piece.indexOf('\n');
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    if (end < 0) return clients.is(socket, 'asking', bytes + pieces.length * PIECE_BYTES);
    socket.off('data', take).resume(); // bytes after the line are ignored
    clients.is(socket, 'waiting', bytes);
    void answer(Buffer.concat(pieces.splice(0)).toString('utf8'));
  };
  socket.on('data', take);
}
