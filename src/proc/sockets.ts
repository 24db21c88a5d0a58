/**
 * Sockets that a process holds as descriptors, and sockets of a network namespace, listed by sock_diag. The result is
 * empty when the process is gone or taut may not look.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { addon, type DiagSocket, failed } from '../native.ts';

/** The sockets with this local port, in one call because they are few. @param states bits of TCP states. */
export function socketsBoundTo(pid: number, protocol: number, states: number, port: number): DiagSocket[] {
  const datagrams = addon().dumpSockets(networkOf(pid), protocol, states, port);
  const all = failed(datagrams) ? [] : datagrams.flatMap(parsed);
  return all.filter(({ localPort }) => localPort === port);
}

/** All sockets, in pieces of some hundreds, so that other work can run in between. @param states bits of TCP states. */
export async function* socketPieces(pid: number, protocol: number, states: number): AsyncGenerator<DiagSocket[]> {
  const datagrams = await addon().listSockets(networkOf(pid), protocol, states, 0);
  if (failed(datagrams)) return;
  for (const datagram of datagrams) yield parsed(datagram);
}

function networkOf(pid: number): string {
  return `/proc/${pid}/ns/net`;
}

function parsed(datagram: Buffer): DiagSocket[] {
  const sockets = addon().parseSockets(datagram);
  return failed(sockets) ? [] : sockets;
}

/** The network namespace of a process; undefined when it is gone or taut may not see it. */
export function networkNamespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(networkOf(pid));
  } catch {
    return undefined;
  }
}

/** Paths of the open descriptors of a process. */
export function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch {
    return [];
  }
}

/** The inode of a descriptor that is a socket; undefined for other descriptors. */
export function socketInode(path: string): number | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined; // closed meanwhile
  }
}
