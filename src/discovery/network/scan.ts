/** Finds the existing connections in every network namespace, with every process that holds them. */
import type { Contact } from '../../config/contactPattern.ts';
import { startOf } from '../../proc/identity.ts';
import { processIds } from '../../proc/processes.ts';
import { Slices } from '../../proc/slices.ts';
import { descriptorsOf, networkNamespaceOf, socketInode, socketPieces } from '../../proc/sockets.ts';

export interface HeldConnection {
  readonly pid: number;
  /** Start time of the process, in clock ticks since boot. */
  readonly startTicks: number;
  readonly contact: Contact;
}

const TCP = 6;
const ESTABLISHED_OR_SYN_SENT = (1 << 1) | (1 << 2);
/**
 * Asks sock_diag for the TCP connections of each process's network namespace, and searches the descriptors of all
 * processes for the wanted ones. @returns every holder, because processes may share a socket.
 * @param wanted returns the contact of a wanted connection, else undefined.
 */
export async function heldConnections(
  wanted: (address: string, port: number, cookie: bigint) => Contact | undefined,
): Promise<HeldConnection[]> {
  const slices = new Slices();
  const pids = processIds();
  const byInode = new Map<number, Contact>();
  const seen = new Set<string>();
  for (const pid of pids) {
    await slices.next();
    const namespace = networkNamespaceOf(pid);
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    for await (const sockets of socketPieces(pid, TCP, ESTABLISHED_OR_SYN_SENT)) {
      for (const { inode, cookie, address, port } of sockets) {
        const contact = inode === 0 ? undefined : wanted(address.replace(/^::ffff:(?=\d+\.)/, ''), port, cookie);
        if (contact) byInode.set(inode, contact);
      }
      await slices.next();
    }
  }
  const held: HeldConnection[] = [];
  if (byInode.size === 0) return held;
  for (const pid of pids) {
    let startTicks: number | undefined;
    const found: Contact[] = [];
    for (const path of descriptorsOf(pid)) {
      await slices.next();
      const contact = byInode.get(socketInode(path) ?? 0);
      if (!contact) continue;
      startTicks ??= startOf(pid);
      // Read the first descriptor again: the id may have belonged to another process when it was read first.
      if (found.length > 0 || byInode.get(socketInode(path) ?? 0) === contact) found.push(contact);
    }
    if (startTicks === undefined || startOf(pid) !== startTicks) continue;
    for (const contact of found) held.push({ pid, startTicks, contact });
  }
  return held;
}
