/** What the names programs tell: `struct taut_contact` of `native/include/names.h`, decoded in one place. Pure. */
import { addressText } from './dnsMessage.ts';

export interface ContactRecord {
  readonly kind: 'question' | 'answer' | 'connect' | 'hello';
  readonly pid: number;
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly atNs: bigint;
  /** The process's start, nanoseconds since boot. */
  readonly startNs: bigint;
  /** The socket's. */
  readonly cookie: bigint;
  readonly isTcp: boolean;
  readonly port: number;
  readonly offset: number;
  readonly address: string;
  readonly payload: Buffer;
}

const PAYLOAD_AT = 64;
const ADDRESS_AT = 48;
const KINDS = [undefined, 'question', 'answer', 'connect', 'hello'] as const;
const TCP = 6;

/** @returns undefined for what is none. */
export function contactRecord(record: Buffer): ContactRecord | undefined {
  const kind = KINDS[record[37] ?? 0];
  if (record.length < PAYLOAD_AT || kind === undefined) return undefined;
  const length = record.readUInt32LE(44);
  return {
    kind,
    pid: record.readUInt32LE(0),
    atNs: record.readBigUInt64LE(8),
    startNs: record.readBigUInt64LE(16),
    cookie: record.readBigUInt64LE(24),
    isTcp: record[36] === TCP,
    port: record.readUInt16LE(38),
    offset: record.readUInt32LE(40),
    address: length === 4 || length === 16 ? addressText(record.subarray(ADDRESS_AT, ADDRESS_AT + length)) : '',
    payload: record.subarray(PAYLOAD_AT, PAYLOAD_AT + record.readUInt32LE(32)),
  };
}
