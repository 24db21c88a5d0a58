/** Who causes most of what the kernel reports, so that who floods it can be named. Bounded in memory. */
import { BoundedMap } from '../util/boundedMap.ts';

const MAX_USERS = 1_024;

/** The user with most reports of a kind since the last look, and one of its processes: that with most at once. */
export interface Flood {
  readonly user: number;
  readonly pid: number;
  readonly n: number;
}

interface Tally {
  n: number;
  pid: number;
  /** The most reports that came at once, which were of `pid`. */
  most: number;
}

export class Floods<Kind extends string> {
  readonly #byKind = new Map<Kind, Map<number, Tally>>();

  /** A process of this user caused `n` reports. */
  note(kind: Kind, pid: number, user: number, n: number): void {
    const users = this.#byKind.get(kind) ?? new BoundedMap<number, Tally>(MAX_USERS);
    this.#byKind.set(kind, users);
    const tally = users.get(user);
    if (!tally) {
      users.set(user, { n, pid, most: n });
      return;
    }
    tally.n += n;
    if (n < tally.most) return;
    tally.most = n;
    tally.pid = pid;
  }

  /** What was noted since the last call. */
  take(): ReadonlyMap<Kind, Flood> {
    const floods = new Map<Kind, Flood>();
    for (const [kind, users] of this.#byKind) {
      let flood: Flood | undefined;
      for (const [user, { n, pid }] of users) if (!flood || n > flood.n) flood = { user, pid, n };
      if (flood) floods.set(kind, flood);
    }
    this.#byKind.clear();
    return floods;
  }
}
