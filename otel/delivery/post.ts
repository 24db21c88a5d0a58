/** Sends one OTLP request over HTTP, and says what became of it by the rules of the OTLP specification. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { SignalName } from '../environment.ts';
import { readable } from '../readable.ts';
import type { Answer } from './answer.ts';
import { partialSuccess } from './partialSuccess.ts';
import { type Body, CONTENT_TYPE } from './request.ts';

/** Address, headers, compression, certificates and timeout, as the OTEL_* variables say. */
export type HttpSettings = ReturnType<typeof convertLegacyHttpOptions>;

export type Post = (body: Body, abort: AbortSignal) => Promise<Answer>;

/** In another thread: a large request would block the event loop for some ten milliseconds. */
const zipped = promisify(gzip);

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Bytes of an answer that are read. An OTLP answer is a sentence; what is longer is none. */
const MOST_ANSWER = 64 << 10;

export function createPost(signal: SignalName, settings: HttpSettings): Post {
  const url = new URL(settings.url);
  const request = url.protocol === 'http:' ? httpRequest : httpsRequest;
  let agent: ReturnType<HttpSettings['agentFactory']> | undefined;
  return async ({ format, bytes }, abort) => {
    try {
      agent ??= settings.agentFactory(url.protocol);
      const isZipped = settings.compression === 'gzip';
      const content = isZipped ? await zipped(bytes) : bytes;
      const about = { 'Content-Type': CONTENT_TYPE[format], ...(isZipped && { 'Content-Encoding': 'gzip' }) };
      const headers = { ...(await settings.headers()), ...about };
      const sent = request(url, { method: 'POST', headers, agent: await agent, signal: abort });
      return await answerTo(sent, content, settings.timeoutMillis, signal);
    } catch (error) {
      // The connection failed, or ended before the answer was complete: the specification says to try again.
      return { kind: 'later', why: readable([error]) };
    }
  };
}

async function answerTo(sent: ClientRequest, body: Uint8Array, timeoutMs: number, signal: SignalName): Promise<Answer> {
  // A timeout of the whole exchange: the socket's own would begin anew with each byte of a slow answer.
  const timer = setTimeout(() => sent.destroy(new Error(`not answered within ${timeoutMs} ms`)), timeoutMs);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve).on('error', reject).end(body);
    });
    return judge(signal, response, await beginning(response));
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

function judge(signal: SignalName, response: IncomingMessage, body: Buffer): Answer {
  const { statusCode = 0, statusMessage = '', headers } = response;
  if (statusCode >= 200 && statusCode <= 299) return partialSuccess(signal, body, headers['content-type'] ?? '');
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
