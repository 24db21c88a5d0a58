/**
 * Who serves DNS, by what it does: a process that holds a socket bound to a resolver's port hands on what others ask, and
 * no question of its own tells it from theirs. Looked up when it matters, in the process's own network namespace.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { socketsBoundTo } from './sockDiag.ts';

/** How long a server is taken for one before it is looked at again, and of how many that is remembered. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 256;

const UDP = 17;
const TCP = 6;
const ALL_STATES = 0xffff_ffff;
const LISTENING = 1 << 10;

export class DnsServers {
  readonly #ports: readonly number[];
  readonly #known = new Map<number, { startTicks: number; untilMs: number }>();

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** Whether a process serves a resolver's port now; no, when we can't tell. */
  has(pid: number, startTicks: number, nowMs = Date.now()): boolean {
    const known = this.#known.get(pid);
    if (known?.startTicks === startTicks && known.untilMs > nowMs) return true;
    this.#known.delete(pid);
    const serves = holdsAny(pid, this.#boundInodes(pid));
    if (serves) this.#remember(pid, { startTicks, untilMs: nowMs + REMEMBERED_MS });
    return serves;
  }

  #boundInodes(pid: number): Set<number> {
    const inodes = new Set<number>();
    for (const port of this.#ports)
      for (const [protocol, states] of [
        [UDP, ALL_STATES],
        [TCP, LISTENING],
      ] as const)
        for (const { inode } of socketsBoundTo(pid, protocol, states, port)) if (inode !== 0) inodes.add(inode);
    return inodes;
  }

  #remember(pid: number, server: { startTicks: number; untilMs: number }): void {
    this.#known.set(pid, server);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_REMEMBERED) return;
      this.#known.delete(oldest);
    }
  }
}

function holdsAny(pid: number, inodes: ReadonlySet<number>): boolean {
  if (inodes.size === 0) return false;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(socketInode(`/proc/${pid}/fd/${fd}`) ?? 0));
  } catch {
    return false; // gone, or not for us to see
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
