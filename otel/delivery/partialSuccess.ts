/** Reads from a backend's answer what it did not take of a request that it accepted. */
import type { SignalName } from '../environment.ts';
import { readable } from '../readable.ts';
import type { Answer } from './answer.ts';
import { SERIALIZERS } from './serializers.ts';

/** An answer as the SDK reads it. In JSON a 64-bit count is text, and null is no value. */
interface Accepted {
  readonly partialSuccess?: {
    readonly errorMessage?: string | null;
    readonly rejectedSpans?: unknown;
    readonly rejectedDataPoints?: unknown;
    readonly rejectedLogRecords?: unknown;
  } | null;
}

/** What can't be read is taken for the plain answer: the status has said that the request was accepted. */
export function partialSuccess(signal: SignalName, body: Buffer, contentType: string): Answer {
  try {
    const part = read(signal, body, contentType).partialSuccess ?? {};
    const { rejectedSpans, rejectedDataPoints, rejectedLogRecords } = part;
    const why = part.errorMessage ?? '';
    const items = Number(rejectedSpans ?? rejectedDataPoints ?? rejectedLogRecords ?? 0);
    return items > 0 || why !== ''
      ? { kind: 'accepted', rejected: { items, why: readable([why]) } }
      : { kind: 'accepted' };
  } catch {
    return {
      kind: 'accepted',
      rejected: { items: 0, why: readable(['its answer is no OTLP:', body.subarray(0, 200)]) },
    };
  }
}

/** @throws Error for what is no answer. */
function read(signal: SignalName, body: Buffer, contentType: string): Accepted {
  if (body.length === 0) return {};
  // The SDK's own reader of JSON takes what is none for an empty answer.
  if (contentType.includes('json')) return JSON.parse(body.toString('utf8')) as Accepted;
  return SERIALIZERS.pb[signal].deserializeResponse(body) as Accepted;
}
