/** Reads from a backend's answer what it did not take of a request that it accepted. */
import { readable } from '../readable.ts';
import type { Answer } from './answer.ts';

/** The field of each signal in the JSON answer. */
const REJECTED = ['rejectedSpans', 'rejectedDataPoints', 'rejectedLogRecords'] as const;

interface JsonAnswer {
  readonly partialSuccess?: { readonly errorMessage?: string } & {
    readonly [F in (typeof REJECTED)[number]]?: unknown;
  };
}

/** What can't be read is taken for the plain answer: the status has said that the request was accepted. */
export function partialSuccess(body: Buffer, contentType: string): Answer {
  try {
    const { items, why } = contentType.includes('json') ? ofJson(body) : ofProtobuf(body);
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

function ofJson(body: Buffer): { items: number; why: string } {
  const { partialSuccess: part = {} } = (body.length === 0 ? {} : JSON.parse(body.toString('utf8'))) as JsonAnswer;
  const items = REJECTED.reduce((sum, field) => sum + Number(part[field] ?? 0), 0);
  return { items, why: part.errorMessage ?? '' };
}

/** The three answers have the same numbers: field 1 is the partial success; its field 1 the count, its field 2 the sentence. */
function ofProtobuf(body: Buffer): { items: number; why: string } {
  const part = fields(body).get(1);
  if (!Buffer.isBuffer(part)) return { items: 0, why: '' };
  const own = fields(part);
  const [items, why] = [own.get(1), own.get(2)];
  return { items: typeof items === 'number' ? items : 0, why: Buffer.isBuffer(why) ? why.toString('utf8') : '' };
}

/** @throws RangeError for what is no protobuf. */
function fields(bytes: Buffer): Map<number, number | Buffer> {
  let at = 0;
  const varint = (): number => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      if (factor > 2 ** 56) throw new RangeError('no varint');
    }
  };
  const found = new Map<number, number | Buffer>();
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag % 8;
    if (wireType === 0) {
      found.set(Math.floor(tag / 8), varint());
      continue;
    }
    const length = wireType === 2 ? varint() : wireType === 1 ? 8 : wireType === 5 ? 4 : Number.POSITIVE_INFINITY;
    if (at + length > bytes.length) throw new RangeError('cut off');
    if (wireType === 2) found.set(Math.floor(tag / 8), bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}
