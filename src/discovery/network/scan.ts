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
/** Descriptors between two breaths: others have work to do meanwhile. */
const CHUNK = 500;

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
  const pids = processIds();
  const byInode = new Map<number, Contact>();
  const seen = new Set<string>();
  for (const pid of pids) {
    const namespace = namespaceOf(pid);
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    for (const sockets of socketPieces(pid, TCP, ESTABLISHED_OR_SYN_SENT, 0)) {
      for (const { inode, cookie, address, port } of sockets) {
        const contact = inode === 0 ? undefined : wanted(address.replace(/^::ffff:(?=\d+\.)/, ''), port, cookie);
        if (contact) byInode.set(inode, contact);
      }
      await setImmediate();
    }
  }
  const held: HeldConnection[] = [];
  if (byInode.size === 0) return held;
  let looked = 0;
  for (const pid of pids) {
    for (const path of descriptors(pid)) {
      const contact = byInode.get(socketInode(path) ?? 0);
      const startTicks = contact && holderSince(pid, () => byInode.get(socketInode(path) ?? 0) === contact);
      if (contact && startTicks !== undefined) held.push({ pid, startTicks, contact });
      if (++looked % CHUNK === 0) await setImmediate();
    }
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

/**
 * The start of the process that holds something. What was seen under its id is looked at again once we know whose id it is:
 * it can't have been another's in between.
 */
function holderSince(pid: number, stillHolds: () => boolean): number | undefined {
  const startTicks = startOf(pid);
  return stillHolds() && startOf(pid) === startTicks ? startTicks : undefined;
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
