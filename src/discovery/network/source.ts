/**
 * A source of sightings: processes that ask a resolver for names, and that connect to addresses. Looks at packets and
 * calls; never drops, delays or changes one.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Contact } from '../../config/contactPattern.ts';
import { addon, bpfObjectPath, check, type NativeTracer, TautError } from '../../native.ts';
import { AddressBook } from './addressBook.ts';
import { addressText, answersOf, questionsOf, tcpMessages } from './dnsMessage.ts';

/** One process asked for one name, or connected to one address. `atNs`: CLOCK_MONOTONIC, nanoseconds. */
export type NetworkSighting =
  | { readonly kind: 'name'; readonly pid: number; readonly atNs: bigint; readonly name: string }
  | { readonly kind: 'contact'; readonly pid: number; readonly atNs: bigint; readonly contact: Contact };

/** This host, or these privileges, don't let us see it; `message` says what and what to do. */
export class NetworkUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NetworkUnavailable';
  }
}

export interface NetworkOptions {
  /** That resolvers listen on; at most 8. */
  readonly dnsPorts: readonly number[];
  /** Whether connections are wanted beside names. */
  readonly connections: boolean;
  readonly onSighting: (sighting: NetworkSighting) => void;
}

const PROGRAMS = ['on_connect4', 'on_connect6', 'on_egress', 'on_ingress'] as const;
const MAX_PORTS = 8;
const WANT_NAMES = 1;
const WANT_CONNECTIONS = 2;
/** Of `native/include/names.h`: where the payload begins, and what kinds of contact there are. */
const PAYLOAD_AT = 24;
const QUESTION = 1;
const ANSWER = 2;
const TCP = 6;

/** The root of the cgroup v2 hierarchy, which may be mounted beside v1. */
function cgroupRoot(): string | undefined {
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ');
    if (filesystem.startsWith('cgroup2 ')) return mount.split(' ')[4];
  }
  return undefined;
}

export class NetworkSource implements Disposable {
  readonly addresses = new AddressBook();
  readonly #native: NativeTracer;
  readonly #onSighting: NetworkOptions['onSighting'];

  /** @throws NetworkUnavailable */
  constructor({ dnsPorts, connections, onSighting }: NetworkOptions) {
    this.#onSighting = onSighting;
    const root = cgroupRoot();
    const path = bpfObjectPath('names');
    if (!root) throw new NetworkUnavailable('no cgroup v2 hierarchy is mounted; mount one: mount -t cgroup2 none /mnt');
    if (!existsSync(path))
      throw new NetworkUnavailable(`the BPF programs are not built (${path}); run: sh native/setup.sh`);
    const native = new (addon().Tracer)();
    this.#native = native;
    try {
      check(native.open(path), 'open the BPF object');
      check(native.load(), 'load the BPF programs');
      for (const [i, port] of dnsPorts.slice(0, MAX_PORTS).entries())
        check(native.writeMap('ports', i, port), 'set the ports');
      check(native.writeMap('wanted', 0, WANT_NAMES | (connections ? WANT_CONNECTIONS : 0)), 'say what is wanted');
      check(
        native.listen((records) => this.#onRecords(records), 'contacts'),
        'listen',
      );
      for (const program of PROGRAMS) check(native.attach(program, root), `attach ${program} to ${root}`);
    } catch (error) {
      native.close();
      if (!(error instanceof TautError)) throw error;
      const denied = error.code === 'EPERM' || error.code === 'EACCES';
      throw new NetworkUnavailable(
        `${error.message}${denied ? '; run taut as root, or with CAP_NET_ADMIN and CAP_BPF' : ''}`,
      );
    }
  }

  /** Contacts for which the kernel had no room. */
  lost(): number {
    return Math.max(0, this.#native.readMap('lost', 0));
  }

  [Symbol.dispose](): void {
    this.#native.close();
  }

  #onRecords(records: readonly Buffer[]): void {
    for (const record of records) {
      const pid = record.readUInt32LE(0);
      const atNs = record.readBigUInt64LE(8);
      const payload = record.subarray(PAYLOAD_AT, PAYLOAD_AT + record.readUInt32LE(16));
      const kind = record[21];
      if (kind === QUESTION) {
        // Over TCP the length may have been a segment of its own.
        const messages = record[20] === TCP ? [...tcpMessages(payload), payload] : [payload];
        for (const name of new Set(messages.flatMap(questionsOf))) this.#onSighting({ kind: 'name', pid, atNs, name });
      } else if (kind === ANSWER) for (const answer of answersOf(payload)) this.addresses.note(answer, Date.now());
      else
        this.#onSighting({
          kind: 'contact',
          pid,
          atNs,
          contact: this.contact(addressText(payload), record.readUInt16LE(22)),
        });
    }
  }

  /** An address and port, with the names that are known for it now. */
  contact(address: string, port: number): Contact {
    return { address, port, names: this.addresses.namesOf(address, Date.now()) };
  }
}
