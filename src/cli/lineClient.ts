/** Asks the server of a Unix socket for one line. The server may be a stranger, hang, or send without end. */
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { distrust } from '../util/trust.ts';

const MAX_REPLY = 64 << 20;
/** The longest time without a byte, and the longest time in all. */
const PATIENCE_MS = 5_000;
const LONGEST_MS = 60_000;
/** A server that has no room for one more waiting client is asked again after this time. */
const AGAIN_MS = 20;

/**
 * `mayBeStrangers`: another user may serve there. Else that is refused, and nothing is sent.
 * @returns the whole answer; undefined when nobody serves there.
 * @throws Error, with `code` when the kernel refused.
 */
export async function askLine(path: string, line: string, mayBeStrangers = false): Promise<string | undefined> {
  for (const endMs = performance.now() + PATIENCE_MS; ; await wait(AGAIN_MS)) {
    try {
      return await askOnce(path, line, mayBeStrangers);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > endMs) throw error;
    }
  }
}

function askOnce(path: string, line: string, mayBeStrangers: boolean): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    // Asked only now: where nobody serves, or this user may not connect, that is the answer.
    const socket = connect(path, () => {
      const problem = mayBeStrangers ? undefined : distrust(dirname(path), basename(path));
      if (problem === undefined) socket.write(`${line}\n`);
      else giveUp(`nobody is asked there, as it may be a stranger: ${problem}`);
    });
    const giveUp = (why: string) => socket.destroy(new Error(`${path}: ${why}`));
    const longest = setTimeout(() => giveUp('the answer has no end'), LONGEST_MS);
    socket.setTimeout(PATIENCE_MS, () => giveUp('the daemon does not answer'));
    socket.on('close', () => clearTimeout(longest));
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > MAX_REPLY) giveUp(`the answer is longer than ${MAX_REPLY >> 20} MiB`);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // There is no socket, or no directory, or a socket that a daemon left behind.
      if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(error.code ?? '')) resolve(undefined);
      else reject(error);
    });
    socket.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
  });
}
