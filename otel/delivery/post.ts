/** Sends one OTLP request over HTTP, and says what became of it by the rules of the OTLP specification. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { gzipSync } from 'node:zlib';
import type { Transport } from '../environment/transport.ts';
import { readable } from '../readable.ts';
import type { Answer } from './answer.ts';
import { ownSecrets } from './ownSecrets.ts';
import { partialSuccess } from './partialSuccess.ts';

export interface HttpSettings extends Transport {
  readonly address: string;
  /** Of the body. */
  readonly contentType: string;
}

export type Post = (body: Uint8Array, abort: AbortSignal) => Promise<Answer>;

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Bytes of an answer that are read. An OTLP answer is a sentence; what is longer is none. */
const MOST_ANSWER = 64 << 10;

export function createPost(settings: HttpSettings): Post {
  const url = new URL(settings.address);
  const isPlain = url.protocol === 'http:';
  const request = isPlain ? httpRequest : httpsRequest;
  const agent = isPlain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true, ...settings.tls });
  const hide = ownSecrets(settings.headers, settings.address);
  const own = { 'Content-Type': settings.contentType, 'User-Agent': 'taut' };
  return async (body, abort) => {
    try {
      const encoding = settings.isZipped ? { 'Content-Encoding': 'gzip' } : {};
      const headers = { ...settings.headers, ...own, ...encoding };
      const sent = request(url, { method: 'POST', headers, agent, signal: abort });
      return await answerTo(sent, settings.isZipped ? gzipSync(body) : body, settings.timeoutMs, hide);
    } catch (error) {
      // The connection failed, or ended before the answer was complete: the specification says to try again.
      return { kind: 'later', why: readable([error]) };
    }
  };
}

type Hide = (bytes: Buffer) => Buffer;

async function answerTo(sent: ClientRequest, body: Uint8Array, timeoutMs: number, hide: Hide): Promise<Answer> {
  // A timeout of the whole exchange: the socket's own would begin anew with each byte of a slow answer.
  const timer = setTimeout(() => sent.destroy(new Error(`not answered within ${timeoutMs} ms`)), timeoutMs);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve).on('error', reject).end(body);
    });
    return judge(response, hide(await beginning(response)));
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

function judge(response: IncomingMessage, body: Buffer): Answer {
  const { statusCode = 0, statusMessage = '', headers } = response;
  if (statusCode >= 200 && statusCode <= 299) return partialSuccess(body, headers['content-type'] ?? '');
  // A body that is not text says nothing: OTLP's is a Status message, whose one field of interest is a sentence.
  const why = readable([`${statusCode} ${statusMessage}`, body.toString('utf8')]);
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
