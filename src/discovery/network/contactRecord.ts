/** Decodes the records of the names programs: `struct taut_contact` of `native/include/names.h`. Pure. */
import { addon, type ContactKind } from '../../native.ts';
import { addressText } from './dnsMessage.ts';

export interface ContactRecord {
  readonly kind: ContactKind;
  readonly pid: number;
  /** Contacts of this kind and process that the kernel held back since the one before. */
  readonly held: number;
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly atNs: bigint;
  /** The process's start, nanoseconds since boot. */
  readonly startNs: bigint;
  /** The socket's cookie. */
  readonly cookie: bigint;
  readonly isTcp: boolean;
  readonly port: number;
  readonly offset: number;
  readonly address: string;
  readonly payload: Buffer;
}

/** @returns undefined for bytes that are no contact record. */
export function contactRecord(record: Buffer): ContactRecord | undefined {
  const { contact: at, contacts, transport } = addon().layout;
  const kind = contacts[record[at.kind] ?? 0];
  if (record.length < at.payload || kind === undefined) return undefined;
  const length = record.readUInt32LE(at.addressLength);
  return {
    kind,
    pid: record.readUInt32LE(at.pid),
    held: record.readUInt32LE(at.held),
    atNs: record.readBigUInt64LE(at.atNs),
    startNs: record.readBigUInt64LE(at.startNs),
    cookie: record.readBigUInt64LE(at.cookie),
    isTcp: record[at.transport] === transport.tcp,
    port: record.readUInt16LE(at.port),
    offset: record.readUInt32LE(at.offset),
    address: length === 4 || length === 16 ? addressText(record.subarray(at.address, at.address + length)) : '',
    payload: record.subarray(at.payload, at.payload + record.readUInt32LE(at.length)),
  };
}
