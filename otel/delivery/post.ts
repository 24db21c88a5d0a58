/** Sends one OTLP request over HTTP, and says what became of it by the rules of the OTLP specification. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Transport } from '../environment/transport.ts';
import type { SignalName } from '../environment.ts';
import { readable } from '../readable.ts';
import type { Answer } from './answer.ts';
import { ownSecrets } from './ownSecrets.ts';
import { partialSuccess } from './partialSuccess.ts';
import { type Body, CONTENT_TYPE } from './request.ts';
import { unanswered } from './unanswered.ts';

export interface HttpSettings extends Transport {
  readonly address: string;
}

export type Post = (body: Body, abort: AbortSignal) => Promise<Answer>;

/** In another thread: a large request would block the event loop for some ten milliseconds. */
const zipped = promisify(gzip);

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Bytes of an answer that are read. An OTLP answer is a sentence; what is longer is none. */
const MOST_ANSWER = 64 << 10;

export function createPost(signal: SignalName, settings: HttpSettings): Post {
  const url = new URL(settings.address);
  const isPlain = url.protocol === 'http:';
  const request = isPlain ? httpRequest : httpsRequest;
  const agent = isPlain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true, ...settings.tls });
  const hide = ownSecrets(settings.headers, settings.address);
  return async ({ format, bytes }, abort) => {
    try {
      const { isZipped } = settings;
      const content = isZipped ? await zipped(bytes) : bytes;
      const own = { 'Content-Type': CONTENT_TYPE[format], 'User-Agent': 'taut' };
      const headers = { ...settings.headers, ...own, ...(isZipped && { 'Content-Encoding': 'gzip' }) };
      const sent = request(url, { method: 'POST', headers, agent, signal: abort });
      return judge(signal, hide, ...(await answerTo(sent, content, settings.timeoutMs)));
    } catch (error) {
      // The connection failed, or ended before the answer was complete: the specification says to try again.
      return { kind: 'later', why: unanswered(error) };
    }
  };
}

type Hide = (bytes: Buffer) => Buffer;
type Heard = readonly [response: IncomingMessage, body: Buffer];

async function answerTo(sent: ClientRequest, body: Uint8Array, timeoutMs: number): Promise<Heard> {
  // A timeout of the whole exchange: the socket's own would begin anew with each byte of a slow answer.
  let late: Error | undefined;
  const timer = setTimeout(() => {
    late = new Error(`not answered within ${timeoutMs} ms`);
    sent.destroy(late);
  }, timeoutMs);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve).on('error', reject).end(body);
    });
    return [response, await beginning(response)];
  } catch (error) {
    throw late ?? error; // an answer that was cut off only says that it was
  } finally {
    clearTimeout(timer);
  }
}

async function beginning(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MOST_ANSWER) break; // which destroys the response and its connection
  }
  return Buffer.concat(chunks).subarray(0, MOST_ANSWER);
}

function judge(signal: SignalName, hide: Hide, response: IncomingMessage, bytes: Buffer): Answer {
  const body = hide(bytes);
  const { statusCode = 0, statusMessage = '', headers } = response;
  if (statusCode >= 200 && statusCode <= 299) return partialSuccess(signal, body, headers['content-type'] ?? '');
  const elsewhere = headers.location === undefined ? '' : `to ${hide(Buffer.from(headers.location))}`;
  // A body that is not text says nothing: OTLP's is a Status message, whose one field of interest is a sentence.
  const why = readable([`${statusCode} ${statusMessage}`, elsewhere, body.toString('utf8')]);
  if (!RETRYABLE.has(statusCode)) return { kind: 'refused', why };
  const afterMs = retryAfter(headers['retry-after']);
  return { kind: 'later', why, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** The header `Retry-After`, in seconds or as a date. */
function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : undefined;
}
