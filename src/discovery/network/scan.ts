/** The connections that are there now: of every network namespace, with every process that holds them. */
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { addon } from '../../native.ts';

export interface HeldConnection {
  readonly pid: number;
  readonly address: string;
  readonly port: number;
}

/** Processes between two breaths: others have work to do meanwhile. */
const CHUNK = 50;

function processIds(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // gone, or not for us to see
  }
}

/**
 * Asks sock_diag for the TCP connections of each network namespace that a process is in, and looks in the processes'
 * descriptors for those that `isWanted`. @returns every holder: a socket may be shared.
 */
export async function heldConnections(isWanted: (address: string, port: number) => boolean): Promise<HeldConnection[]> {
  const pids = processIds();
  const byInode = new Map<number, { address: string; port: number }>();
  const seen = new Set<string>();
  for (const pid of pids) {
    const namespace = link(`/proc/${pid}/ns/net`);
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    const found = addon().connections(`/proc/${pid}/ns/net`);
    if (typeof found === 'number') continue; // gone meanwhile, or not allowed: the others count
    for (const { inode, address, port } of found) {
      const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
      if (inode !== 0 && isWanted(plain, port)) byInode.set(inode, { address: plain, port });
    }
  }
  const held: HeldConnection[] = [];
  if (byInode.size === 0) return held;
  for (const [i, pid] of pids.entries()) {
    for (const contact of contactsOf(pid, byInode)) held.push({ pid, ...contact });
    if (i % CHUNK === CHUNK - 1) await setImmediate();
  }
  return held;
}

function contactsOf(pid: number, byInode: ReadonlyMap<number, { address: string; port: number }>) {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return descriptors.flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`) ?? '')?.[1];
    const contact = inode === undefined ? undefined : byInode.get(Number(inode));
    return contact ? [contact] : [];
  });
}
