/** What the network shows of a process. */
import type { Contact } from '../../config/contactPattern.ts';
import { epochMsOfMonotonic } from '../../proc/clock.ts';
import type { Seen } from '../sighting.ts';

/** Of which process, when: `atNs` CLOCK_MONOTONIC, nanoseconds; the process's start in clock ticks since boot. */
interface Shown {
  readonly pid: number;
  readonly startTicks: number;
  readonly atNs: bigint;
}

/** One process asked for one name, or is connected to one address. */
export type NetworkSighting =
  | (Shown & { readonly kind: 'name'; readonly name: string })
  | (Shown & { readonly kind: 'contact'; readonly contact: Contact });

/** What the network saw, as a sighting of its process. */
export function seenBy(sighting: NetworkSighting): Seen {
  const atMs = epochMsOfMonotonic(sighting.atNs);
  if (sighting.kind === 'name') return { source: 'dns', atMs, what: sighting.name };
  const { address, port } = sighting.contact;
  return { source: 'connection', atMs, what: `${address} port ${port}` };
}
