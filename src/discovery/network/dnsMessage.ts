/** The questions and addresses of a DNS message (RFC 1035). Pure and bounded, because the bytes are untrusted. */
import { SocketAddress } from 'node:net';

const HEADER = 12;
/** Questions read of one message. Resolvers accept one; more than a few are an attack or an experiment. */
const MAX_QUESTIONS = 32;
const MAX_NAME = 255;
const MAX_JUMPS = 16;

/**
 * The names that a message asks for, in lower case, without the final dot; none if it is an answer or not DNS.
 * @param payload a UDP payload, or a TCP payload without its two bytes of length.
 */
export function questionsOf(payload: Buffer): string[] {
  if (payload.length < HEADER) return [];
  const isAnswer = ((payload[2] ?? 0) & 0x80) !== 0;
  const opcode = ((payload[2] ?? 0) >> 3) & 0xf;
  if (isAnswer || opcode !== 0) return [];
  const names: string[] = [];
  let at = HEADER;
  const count = Math.min(payload.readUInt16BE(4), MAX_QUESTIONS);
  for (let i = 0; i < count; i++) {
    const parsed = nameAt(payload, at);
    if (!parsed || parsed.next + 4 > payload.length) return names; // the message is cut short: keep the complete questions
    names.push(parsed.name);
    at = parsed.next + 4; // type and class
  }
  return names;
}

/** The DNS messages of a TCP segment that begins with a message. */
export function* tcpMessages(segment: Buffer): Generator<Buffer> {
  for (let at = 0; at + 2 <= segment.length; ) {
    const length = segment.readUInt16BE(at);
    if (length < HEADER) return;
    yield segment.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

function nameAt(message: Buffer, start: number): { name: string; next: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let next: number | undefined;
  let length = 0;
  for (let jumps = 0; ; ) {
    const size = message[at];
    if (size === undefined) return undefined;
    if (size === 0) return { name: labels.join('.'), next: next ?? at + 1 };
    if (size >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined || ++jumps > MAX_JUMPS) return undefined;
      next ??= at + 2;
      at = ((size & 0x3f) << 8) | low;
      continue;
    }
    if (size > 63 || at + 1 + size > message.length) return undefined;
    length += size + 1;
    if (length > MAX_NAME) return undefined;
    labels.push(message.toString('latin1', at + 1, at + 1 + size).toLowerCase());
    at += 1 + size;
  }
}

/** One address of a name, from a resolver's answer. */
export interface Answer {
  /** The name that was asked for, in lower case, not an alias of it. */
  readonly name: string;
  /** In the form of `node:net`. */
  readonly address: string;
  readonly ttlSeconds: number;
}

const MAX_ANSWERS = 256;
const TYPE_A = 1;
const TYPE_AAAA = 28;

/** The addresses in a DNS answer; none when the message is no answer. */
export function answersOf(payload: Buffer): Answer[] {
  if (payload.length < HEADER || ((payload[2] ?? 0) & 0x80) === 0) return [];
  const question = nameAt(payload, HEADER);
  if (payload.readUInt16BE(4) !== 1 || !question) return [];
  const answers: Answer[] = [];
  let at = question.next + 4;
  const count = Math.min(payload.readUInt16BE(6), MAX_ANSWERS);
  for (let i = 0; i < count; i++) {
    const owner = nameAt(payload, at);
    if (!owner || owner.next + 10 > payload.length) return answers;
    const type = payload.readUInt16BE(owner.next);
    const ttlSeconds = payload.readUInt32BE(owner.next + 4);
    const size = payload.readUInt16BE(owner.next + 8);
    const data = payload.subarray(owner.next + 10, owner.next + 10 + size);
    at = owner.next + 10 + size;
    const wanted = type === TYPE_A ? 4 : type === TYPE_AAAA ? 16 : 0;
    if (wanted > 0 && data.length === wanted)
      answers.push({ name: question.name, address: addressText(data), ttlSeconds });
  }
  return answers;
}

/** 4 or 16 bytes as text; an IPv4-mapped IPv6 address as IPv4. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const isMapped = bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'));
  if (isMapped) return [...bytes.subarray(12)].join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
