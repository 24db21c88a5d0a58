/** Commands ask a running daemon by one JSON line each way, over a Unix socket that only its user and root can open. */
import { z } from 'zod';
import { descriptorShares } from '../proc/descriptors.ts';
import { jsonText, printable } from '../util/printable.ts';
import { isDenied, NoAccess } from './access.ts';
import { CliError, EXIT } from './exit.ts';
import { askLine } from './lineClient.ts';
import { type Bounds, serveLines } from './lineServer.ts';
import { REPLIES } from './replies.ts';
import { type Request, requestSchema } from './requests.ts';
import { SharedReplies } from './sharedReplies.ts';
import { socketPath } from './stateDir.ts';

type Answer = (request: Request) => unknown;

const BOUNDS: Omit<Bounds, 'clients'> = {
  ...{ perSecond: Number.POSITIVE_INFINITY },
  ...{ bytes: 16 << 20, held: 64 << 20, ms: 30_000 },
};
/** How many characters of an answer that taut does not understand are shown. */
const SHOWN = 80;

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
    return jsonText({ ok: await answer(requestSchema.parse(JSON.parse(line))) });
  } catch (error) {
    return jsonText({ error: error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message });
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
  return text === undefined ? undefined : understand<T>(path, text, request.op);
}

const messageSchema = z.union([z.strictObject({ error: z.string() }), z.strictObject({ ok: z.unknown() })]);

function understand<T>(path: string, text: string, op: Request['op']): T {
  const refuse = (why: string) => new CliError(`${path} answers what is not taut's: ${why}`, EXIT.failed);
  if (text.trim() === '') throw refuse('nothing');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse(`no JSON, or not all of it: ${printable(text.slice(0, SHOWN), SHOWN)}`);
  }
  const message = messageSchema.safeParse(json);
  if (!message.success) throw refuse(printable(JSON.stringify(json).slice(0, SHOWN), SHOWN));
  if ('error' in message.data) throw new CliError(`the daemon refuses: ${message.data.error}`, EXIT.failed);
  const reply = REPLIES[op].safeParse(message.data.ok);
  if (reply.success) return reply.data as T;
  throw refuse(`${z.prettifyError(reply.error).replaceAll('\n', ' ')} (another version?)`);
}
