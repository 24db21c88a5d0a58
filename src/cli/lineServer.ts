/** A Unix socket that takes one line and gives one back, within bounds: whoever connects may be a stranger. */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

export interface Bounds {
  /** At a time; those beyond are turned away. */
  readonly clients: number;
  /** Then nobody is let in for the rest of a second: even to turn somebody away is work. */
  readonly perSecond: number;
  /** Of a request. */
  readonly bytes: number;
  /** From the connection to its end: the request, and the reading of the answer. */
  readonly ms: number;
}

type Reply = (line: string) => string | Buffer | Promise<string | Buffer>;

export interface LineServerOptions {
  readonly path: string;
  readonly mode: number;
  readonly bounds: Bounds;
  /** Must not throw, nor reject. */
  readonly reply: Reply;
  /** No connection could be taken, for instance for want of descriptors. */
  readonly onProblem: (message: string) => void;
}

const SECOND_MS = 1_000;

/** Serves until it is closed. The caller sees to it that nobody else serves there: what lies at the path is removed. */
export async function serveLines(options: LineServerOptions): Promise<AsyncDisposable> {
  const { path, bounds, reply, onProblem } = options;
  const server = createServer((socket) => handle(socket, bounds, reply));
  server.maxConnections = bounds.clients;
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

/** The socket is made within the call: never, for an instant, may more be done with it than its mode says. */
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

/** Stops listening once so many have come within a second, until it is over. */
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
  server.on('connection', count).on('drop', count);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function handle(socket: Socket, bounds: Bounds, reply: Reply): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const deadline = setTimeout(() => socket.destroy(), bounds.ms).unref();
  socket.unref();
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(deadline));
  const answer = async (line: string) => {
    socket.write(await reply(line));
    socket.end('\n');
  };
  const take = (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > bounds.bytes) return void socket.destroy();
    const end = piece.indexOf('\n');
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    if (end < 0) return;
    socket.off('data', take).resume(); // what comes after the line is nothing to us
    void answer(Buffer.concat(pieces).toString('utf8'));
  };
  socket.on('data', take);
}
