/** Commands ask a running daemon by one JSON line each way, over a Unix socket that only its user and root can open. */
import { descriptorShares } from '../proc/descriptors.ts';
import { jsonText } from '../util/printable.ts';
import { isDenied, NoAccess } from './access.ts';
import { askLine } from './lineClient.ts';
import { type Bounds, serveLines } from './lineServer.ts';
import type { Request } from './requests.ts';
import { SharedReplies } from './sharedReplies.ts';
import { socketPath } from './stateDir.ts';

type Answer = (request: Request) => unknown;

const BOUNDS: Omit<Bounds, 'clients'> = {
  ...{ perSecond: Number.POSITIVE_INFINITY },
  ...{ bytes: 16 << 20, held: 64 << 20, ms: 30_000 },
};

/** Serves requests until it is disposed of. No other process serves at this path, so an old socket there is stale. */
export function serve(path: string, answer: Answer, onProblem: (message: string) => void): Promise<AsyncDisposable> {
  const shared = new SharedReplies((line) => replyTo(line, answer));
  const reply = (line: string) => shared.to(line);
  const bounds = { ...BOUNDS, clients: descriptorShares().clients };
  return serveLines({ path, mode: 0o600, bounds, reply, onProblem });
}

/** @returns one JSON line: the answer, or the reason for no answer. */
export async function replyTo(line: string, answer: Answer): Promise<string> {
  try {
    const { understandRequest } = await import('./requests.ts'); // schemas take longer to load than most of a command
    return jsonText({ ok: await answer(understandRequest(line)) });
  } catch (error) {
    return jsonText({ error: (error as Error).message });
  }
}

/**
 * Asks a running daemon. @returns undefined when no daemon runs.
 * @throws NoAccess when this user may not know that; CliError when the daemon refuses, or its answer is not understood.
 */
export async function ask<T>(stateDir: string, request: Request): Promise<T | undefined> {
  try {
    return await askAt<T>(socketPath(stateDir), request);
  } catch (error) {
    if (isDenied(error)) throw new NoAccess(stateDir, 'whether a daemon runs with it');
    throw error;
  }
}

/**
 * Asks the server of one socket; `isPublic`: of one that another user may serve. @returns undefined when nobody does.
 * @throws Error when the kernel refuses; CliError when the server refuses, or its answer is not understood.
 */
export async function askAt<T>(path: string, request: Request, isPublic = false): Promise<T | undefined> {
  const text = await askLine(path, JSON.stringify(request), isPublic);
  return text === undefined ? undefined : (await import('./replies.ts')).understandReply<T>(path, text, request.op);
}
