/**
 * Finds processes that serve DNS: they hold a socket bound to a resolver's port. Such a process forwards the questions
 * of others, which can't be told from its own. Looked up on demand, in the process's own network namespace, and on
 * threads of the pool, as a process may have any number of descriptors.
 */
import { holdsSocket, inodesBoundTo } from '../../proc/sockets.ts';
import { BoundedMap } from '../../util/boundedMap.ts';

/** How long an answer holds. A "no" holds as long only while the same sockets are bound. */
const REMEMBERED_MS = 30_000;
/** How many answers are remembered. */
const MAX_REMEMBERED = 1_024;
/** Where other sockets are bound, a process is searched again after this many times as long as it took to search it. */
const REST = 100;
/** Descriptors of a process that are searched: the lowest, and a server binds its sockets first. */
const MOST_DESCRIPTORS = 65_536;

const UDP = 17;
const TCP = 6;
const ALL_STATES = 0xffff_ffff;
const LISTENING = 1 << 10;

/** What the addon does, or a test instead of it. */
export interface BoundSockets {
  inodesBoundTo(pid: number, protocol: number, states: number, port: number): Promise<number[]>;
  holdsSocket(pid: number, inodes: readonly number[], most: number): Promise<boolean>;
}

interface Answer {
  readonly startTicks: number;
  readonly serves: boolean;
  /** The sockets that were bound then. */
  readonly sockets: string;
  readonly untilMs: number;
  /** Before this time a "no" holds whatever is bound. */
  readonly restUntilMs: number;
}

export class DnsServers {
  readonly #ports: readonly number[];
  readonly #sockets: BoundSockets;
  readonly #now: () => number;
  readonly #answers = new BoundedMap<number, Answer>(MAX_REMEMBERED);
  /** Searches that are not done: one for each process. */
  readonly #searches = new Map<string, Promise<boolean>>();

  /** @param now milliseconds of a clock that never goes back. */
  constructor(
    ports: readonly number[],
    sockets: BoundSockets = { inodesBoundTo, holdsSocket },
    now: () => number = () => performance.now(),
  ) {
    this.#ports = ports;
    this.#now = now;
    this.#sockets = sockets;
  }

  /** Whether a process serves a resolver's port now; false when that can't be read. */
  has(pid: number, startTicks: number): Promise<boolean> {
    const known = this.#answer(pid, startTicks);
    if (known?.serves && this.#now() < known.untilMs) return Promise.resolve(true);
    const key = `${pid} ${startTicks}`;
    const search = this.#searches.get(key) ?? this.#search(pid, startTicks).finally(() => this.#searches.delete(key));
    this.#searches.set(key, search);
    return search;
  }

  #answer(pid: number, startTicks: number): Answer | undefined {
    const answer = this.#answers.get(pid);
    return answer?.startTicks === startTicks ? answer : undefined;
  }

  async #search(pid: number, startTicks: number): Promise<boolean> {
    const inodes = await this.#boundInodes(pid);
    if (inodes.length === 0) return false;
    const sockets = inodes.join();
    const known = this.#answer(pid, startTicks);
    const now = this.#now();
    if (known && !known.serves && now < (known.sockets === sockets ? known.untilMs : known.restUntilMs)) return false;
    const serves = await this.#sockets.holdsSocket(pid, inodes, MOST_DESCRIPTORS);
    const doneMs = this.#now();
    const restUntilMs = doneMs + REST * (doneMs - now);
    this.#answers.set(pid, { startTicks, serves, sockets, untilMs: doneMs + REMEMBERED_MS, restUntilMs });
    return serves;
  }

  async #boundInodes(pid: number): Promise<number[]> {
    const inodes = new Set<number>();
    for (const port of this.#ports)
      for (const [protocol, states] of [
        [UDP, ALL_STATES],
        [TCP, LISTENING],
      ] as const)
        for (const inode of await this.#sockets.inodesBoundTo(pid, protocol, states, port)) inodes.add(inode);
    return [...inodes].toSorted((a, b) => a - b);
  }
}
