/** The connections that are there now: of every network namespace, with every process that holds them. */
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isGone, ProcHandle } from '../../actuator/procHandle.ts';
import type { Contact } from '../../config/contactPattern.ts';
import { socketInode } from './dnsServers.ts';
import { socketPieces } from './sockDiag.ts';

export interface HeldConnection {
  readonly pid: number;
  /** Of the process, in clock ticks since boot. */
  readonly startTicks: number;
  readonly contact: Contact;
}

const TCP = 6;
const ESTABLISHED_OR_SYN_SENT = (1 << 1) | (1 << 2);
/** As long as we work on without a breath: others have work to do meanwhile. */
const STRETCH_MS = 4;

/** Lets others work where we have worked for long enough. */
function breather(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < STRETCH_MS) return;
    await setImmediate();
    since = performance.now();
  };
}

function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // gone, or not for us to see
  }
}

/**
 * Asks sock_diag for the TCP connections of each network namespace that a process is in, and looks in the processes'
 * descriptors for those that are wanted. @returns every holder: a socket may be shared.
 * @param wanted what a connection is, if it is wanted.
 */
export async function heldConnections(
  wanted: (address: string, port: number, cookie: bigint) => Contact | undefined,
): Promise<HeldConnection[]> {
  const breathe = breather();
  const pids = processIds();
  const byInode = new Map<number, Contact>();
  const seen = new Set<string>();
  for (const pid of pids) {
    await breathe();
    const namespace = namespaceOf(pid);
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    for await (const sockets of socketPieces(pid, TCP, ESTABLISHED_OR_SYN_SENT)) {
      for (const { inode, cookie, address, port } of sockets) {
        const contact = inode === 0 ? undefined : wanted(address.replace(/^::ffff:(?=\d+\.)/, ''), port, cookie);
        if (contact) byInode.set(inode, contact);
      }
      await breathe();
    }
  }
  const held: HeldConnection[] = [];
  if (byInode.size === 0) return held;
  for (const pid of pids) {
    let startTicks: number | undefined;
    const found: Contact[] = [];
    for (const path of descriptors(pid)) {
      await breathe();
      const contact = byInode.get(socketInode(path) ?? 0);
      if (!contact) continue;
      startTicks ??= startOf(pid);
      // Looked at again, as its id may have been another's when that descriptor was seen.
      if (found.length > 0 || byInode.get(socketInode(path) ?? 0) === contact) found.push(contact);
    }
    if (startTicks === undefined || startOf(pid) !== startTicks) continue;
    for (const contact of found) held.push({ pid, startTicks, contact });
  }
  return held;
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch {
    return [];
  }
}

function startOf(pid: number): number | undefined {
  try {
    using process = new ProcHandle(pid);
    return process.stat().startTicks;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
