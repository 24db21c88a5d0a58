/**
 * Sockets: those that processes hold as descriptors, and those of a network namespace, as sock_diag lists them. There are
 * none where the process is gone, or it is not for us to look.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { addon, type DiagSocket, failed } from '../native.ts';

/** Those with this local port: few, at once. @param states bits of TCP states. */
export function socketsBoundTo(pid: number, protocol: number, states: number, port: number): DiagSocket[] {
  const datagrams = addon().dumpSockets(networkOf(pid), protocol, states, port);
  const all = failed(datagrams) ? [] : datagrams.flatMap(parsed);
  return all.filter(({ localPort }) => localPort === port);
}

/** All of them, in pieces of some hundreds, so that others can work in between. @param states bits of TCP states. */
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

/** Which network namespace a process is in; undefined when it is gone, or not for us to see. */
export function networkNamespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(networkOf(pid));
  } catch {
    return undefined;
  }
}

/** The paths of what a process holds open. */
export function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch {
    return [];
  }
}

/** The inode of the socket that a descriptor is; undefined for others. */
export function socketInode(path: string): number | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined; // closed meanwhile
  }
}
