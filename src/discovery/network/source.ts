/**
 * A source of sightings: processes that ask a resolver for names, that connect to addresses, or that name a server in a
 * TLS ClientHello. Only observes packets and calls; never drops, delays or changes one.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Contact } from '../../config/contactPattern.ts';
import {
  addon,
  bpfObjectPath,
  type ContactKind,
  check,
  failed,
  type NativeBpfObject,
  recordBounds,
  TautError,
} from '../../native.ts';
import { startTicksOf } from '../../proc/clock.ts';
import { FOREIGN_IDS, hasHostIds } from '../../proc/pidNamespace.ts';
import { userOf } from '../../proc/processes.ts';
import { BoundedMap } from '../../util/boundedMap.ts';
import { Floods } from '../../util/floods.ts';
import { AddressBook } from './addressBook.ts';
import { cgroupRootOf } from './cgroupRoot.ts';
import type { ServerName } from './clientHello.ts';
import { type ContactRecord, contactRecord } from './contactRecord.ts';
import { answersOf, questionsOf, tcpMessages } from './dnsMessage.ts';
import { HelloPieces } from './helloPieces.ts';
import type { NetworkSighting } from './sighting.ts';

/** The host or the privileges do not allow watching the network; `message` says why and what to do. */
export class NetworkUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NetworkUnavailable';
  }
}

export interface NetworkOptions {
  /** The ports that resolvers listen on. */
  readonly dnsPorts: readonly number[];
  /** Whether connections are wanted in addition to names. */
  readonly connections: boolean;
  /** Whether a rule needs the addresses of a name. */
  readonly wantsName: (name: string) => boolean;
  readonly onSighting: (sighting: NetworkSighting) => void;
}

/** Each program, with what taut can't see if the kernel lacks the program's hook. */
const PROGRAMS = {
  on_egress: 'names that processes ask for, and TLS server names',
  on_connect4: 'who makes IPv4 connections',
  on_connect6: 'who makes IPv6 connections',
  on_ingress: 'which addresses a name has',
  on_sendmsg4: 'names that are asked for by UDP sockets that are not connected, over IPv4',
  on_sendmsg6: 'names that are asked for by UDP sockets that are not connected, over IPv6',
} as const;
/** The ring buffers; what causes a record comes after it in this list: see `native/addon/ring_buffer.h`. */
const RINGS = ['connections', 'answers', 'lookups'] as const;
/** Records of each that are handled before anything else gets its turn. */
const MOST_AT_ONCE = 64;
/** Connections whose server name is remembered, for other processes that hold the same connection. */
const MAX_SERVER_NAMES = 16_384;

export class NetworkSource implements Disposable {
  readonly addresses = new AddressBook();
  /** What can't be seen on this host, each item with the reason. */
  readonly missing: readonly string[];
  readonly #native: NativeBpfObject;
  readonly #options: NetworkOptions;
  /** Who caused what was held back. */
  readonly floods = new Floods<ContactKind>();
  readonly #pieces = new HelloPieces();
  readonly #serverNames = new BoundedMap<bigint, ServerName>(MAX_SERVER_NAMES);

  /** @throws NetworkUnavailable when nothing at all can be seen. */
  constructor(options: NetworkOptions) {
    this.#options = options;
    const root = cgroupRootOf(readFileSync('/proc/self/mountinfo', 'latin1'));
    const path = bpfObjectPath('names');
    if (!root) throw new NetworkUnavailable('no cgroup v2 hierarchy is mounted; mount one: mount -t cgroup2 none /mnt');
    if (!existsSync(path))
      throw new NetworkUnavailable(`the BPF programs are not built (${path}); run: sh scripts/setup.sh`);
    if (!existsSync('/sys/kernel/btf/vmlinux'))
      throw new NetworkUnavailable('this kernel has no BTF, so which process an id belongs to can not be told');
    if (!hasHostIds()) throw new NetworkUnavailable(FOREIGN_IDS);
    try {
      this.#native = load(path);
    } catch (error) {
      throw unavailable(error);
    }
    try {
      this.#configure();
      const hear = (buffer: Buffer, length: number) => this.#onRecords(buffer, length);
      for (const ring of RINGS) check(this.#native.addRing(ring, MOST_AT_ONCE), 'open a ring buffer');
      check(this.#native.listen(addon().layout.contact.atNs, hear), 'listen');
      this.missing = this.#attach(root);
    } catch (error) {
      this.#native.close();
      throw unavailable(error);
    }
  }

  /** By kind, the number of contacts that the kernel held back or had no room for. */
  lost(): ReadonlyMap<ContactKind, number> {
    const lost = new Map<ContactKind, number>();
    for (const [i, kind] of addon().layout.contacts.entries()) {
      const n = kind && this.#native.readMap('lost', i);
      if (kind && n !== undefined && !failed(n)) lost.set(kind, n);
    }
    return lost;
  }

  /** Whether the server name of any connection is known. */
  get hasServerNames(): boolean {
    return this.#serverNames.size > 0;
  }

  /** An address and port with the names known for it now; with `cookie`, also that connection's server name. */
  contact(address: string, port: number, cookie?: bigint): Contact {
    const names = this.addresses.namesOf(address, Date.now());
    const serverName = cookie === undefined ? undefined : this.#serverNames.get(cookie);
    return serverName ? { address, port, names, serverName } : { address, port, names };
  }

  [Symbol.dispose](): void {
    this.#native.close();
  }

  #configure(): void {
    const { dnsPorts, connections } = this.#options;
    const words = new Map<number, number>();
    for (const port of dnsPorts) words.set(port >> 5, ((words.get(port >> 5) ?? 0) | (1 << (port & 31))) >>> 0);
    for (const [word, bits] of words) check(this.#native.writeMap('ports', word, bits), 'set the ports');
    const { wanted } = addon().layout;
    const bits = wanted.names | (connections ? wanted.connections | wanted.answers : 0);
    check(this.#native.writeMap('wanted', 0, bits), 'say what is wanted');
  }

  /** Attaches every program that this kernel has a hook for. @returns what is missing for the others. */
  #attach(root: string): string[] {
    const failures: TautError[] = [];
    const missing: string[] = [];
    for (const [program, what] of Object.entries(PROGRAMS)) {
      const failure = errorOf(() => check(this.#native.attachToCgroup(program, root), `attach ${program} to ${root}`));
      if (!failure) continue;
      failures.push(failure);
      missing.push(`${what}: ${failure.message}`);
    }
    const [first] = failures;
    if (first && failures.length === Object.keys(PROGRAMS).length) throw first;
    return missing;
  }

  #onRecords(buffer: Buffer, length: number): void {
    for (const [begin, end] of recordBounds(new DataView(buffer.buffer, buffer.byteOffset, length))) {
      const record = contactRecord(buffer.subarray(begin, end));
      if (record) this.#onRecord(record);
    }
  }

  #onRecord(record: ContactRecord): void {
    const { kind, pid, held, atNs, cookie, address, port } = record;
    const user = held > 0 && pid > 0 ? userOf(pid) : undefined;
    if (user !== undefined) this.floods.note(kind, pid, user, held);
    const seen = { pid, atNs, startTicks: startTicksOf(record.startNs) };
    const { onSighting } = this.#options;
    if (kind === 'question')
      for (const name of new Set(messagesOf(record).flatMap(questionsOf))) onSighting({ kind: 'name', ...seen, name });
    else if (kind === 'answer') this.#onAnswer(record);
    else if (kind === 'connect') onSighting({ kind: 'contact', ...seen, contact: this.contact(address, port) });
    else if (this.#onHello(record))
      onSighting({ kind: 'contact', ...seen, contact: this.contact(address, port, cookie) });
  }

  #onAnswer(record: ContactRecord): void {
    for (const answer of messagesOf(record).flatMap(answersOf))
      if (this.#options.wantsName(answer.name)) this.addresses.note(answer, Date.now());
  }

  /** @returns whether the connection's server name is known now. */
  #onHello({ cookie, offset, payload }: ContactRecord): boolean {
    const serverName = this.#pieces.add(cookie, offset, payload, Date.now());
    if (!serverName || !this.#options.wantsName(serverName.name)) return false;
    this.#serverNames.set(cookie, serverName);
    return true;
  }
}

/** The DNS messages of a packet. Over TCP the length may have come in a segment of its own: then all is one message. */
function messagesOf({ isTcp, payload }: ContactRecord): Buffer[] {
  return isTcp ? [...tcpMessages(payload), payload] : [payload];
}

function errorOf(work: () => void): TautError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof TautError) return error;
    throw error;
  }
}

/**
 * Loads the programs. Before Linux 6.10 a cgroup program can't ask which process sends a packet; then the programs use
 * the process that `connect` and `sendmsg` noted for the socket. @throws TautError
 */
function load(path: string): NativeBpfObject {
  const attempt = (omit: boolean) => {
    const native = new (addon().BpfObject)();
    try {
      check(native.open(path), 'open the BPF object');
      if (omit) check(native.omitFeatures(), 'leave out what packets tell of their sender');
      check(native.load(), 'load the BPF programs');
      return native;
    } catch (error) {
      native.close();
      throw error;
    }
  };
  try {
    return attempt(false);
  } catch {
    return attempt(true);
  }
}

function unavailable(error: unknown): unknown {
  if (!(error instanceof TautError)) return error;
  const denied = error.code === 'EPERM' || error.code === 'EACCES';
  return new NetworkUnavailable(
    `${error.message}${denied ? '; run taut as root, or with CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON' : ''}`,
  );
}
