/**
 * Finds processes that serve DNS: they hold a socket bound to a resolver's port. Such a process forwards the questions
 * of others, which can't be told from its own. Looked up on demand, in the process's own network namespace.
 */
import { descriptorsOf, socketInode, socketsBoundTo } from '../../proc/sockets.ts';
import { BoundedMap } from '../../util/boundedMap.ts';

/** How long a process counts as a server before it is checked again, and how many servers are remembered. */
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 256;

const UDP = 17;
const TCP = 6;
const ALL_STATES = 0xffff_ffff;
const LISTENING = 1 << 10;

export class DnsServers {
  readonly #ports: readonly number[];
  readonly #known = new BoundedMap<number, { startTicks: number; untilMs: number }>(MAX_REMEMBERED);

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** Whether a process serves a resolver's port now; false when that can't be read. */
  has(pid: number, startTicks: number, nowMs = Date.now()): boolean {
    const known = this.#known.get(pid);
    if (known?.startTicks === startTicks && known.untilMs > nowMs) return true;
    this.#known.delete(pid);
    const serves = holdsAny(pid, this.#boundInodes(pid));
    if (serves) this.#known.set(pid, { startTicks, untilMs: nowMs + REMEMBERED_MS });
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
}

function holdsAny(pid: number, inodes: ReadonlySet<number>): boolean {
  if (inodes.size === 0) return false;
  return descriptorsOf(pid).some((path) => inodes.has(socketInode(path) ?? 0));
}
