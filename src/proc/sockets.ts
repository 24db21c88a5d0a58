/**
 * Sockets that a process holds as descriptors, and sockets of a network namespace, listed by sock_diag. The result is
 * empty when the process is gone or taut may not look.
 */
import { type Dir, opendirSync, readlinkSync } from 'node:fs';
import { addon, type DiagSocket, failed } from '../native.ts';
import { Slices } from './slices.ts';

/** The inodes of the sockets with this local port. @param states bits of TCP states. */
export async function inodesBoundTo(pid: number, protocol: number, states: number, port: number): Promise<number[]> {
  const slices = new Slices();
  const inodes: number[] = [];
  const datagrams = await addon().listSockets(networkOf(pid), protocol, states, port);
  for (const datagram of failed(datagrams) ? [] : datagrams) {
    for (const { inode, localPort } of parsed(datagram)) if (localPort === port && inode !== 0) inodes.push(inode);
    await slices.next();
  }
  return inodes;
}

/** Whether a process holds one of these sockets among its first `most` descriptors. Does not block the event loop. */
export async function holdsSocket(pid: number, inodes: readonly number[], most: number): Promise<boolean> {
  return (await addon().holdsSocket(`/proc/${pid}/fd`, Uint32Array.from(inodes), most)) === 1;
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

/** Paths of the open descriptors of a process, which may be a million: so they are not listed at once. */
export function* descriptorsOf(pid: number): Generator<string> {
  const path = `/proc/${pid}/fd`;
  let directory: Dir | undefined;
  try {
    directory = opendirSync(path, { bufferSize: 64 });
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) yield `${path}/${entry.name}`;
  } catch {
    // gone, or not to be seen
  } finally {
    directory?.closeSync();
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
