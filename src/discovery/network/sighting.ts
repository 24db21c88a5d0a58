/** What the network shows of a process. */
import type { Contact } from '../../config/contactPattern.ts';
import { epochMsOfMonotonic } from '../../proc/clock.ts';
import type { Sighting } from '../sighting.ts';

/** The process and the time. `startTicks`: the process's start, clock ticks since boot; `atNs`: CLOCK_MONOTONIC, ns. */
interface Shown {
  readonly pid: number;
  readonly startTicks: number;
  readonly atNs: bigint;
}

/** One process asked for one name, or is connected to one address. */
export type NetworkSighting =
  | (Shown & { readonly kind: 'name'; readonly name: string })
  | (Shown & { readonly kind: 'contact'; readonly contact: Contact });

/** Converts a network sighting into a sighting of its process. */
export function seenBy(sighting: NetworkSighting): Sighting {
  const atMs = epochMsOfMonotonic(sighting.atNs);
  if (sighting.kind === 'name') return { source: 'dns', atMs, what: sighting.name };
  const { address, port } = sighting.contact;
  return { source: 'connection', atMs, what: `${address} port ${port}` };
}
