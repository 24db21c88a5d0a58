/** The names that resolvers gave for an address: each kept for the answer's lifetime (TTL); bounded. */
import { BoundedMap } from '../../util/boundedMap.ts';
import type { Answer } from './dnsMessage.ts';

const MAX_ADDRESSES = 16_384;
/** A program may connect a little after the TTL has expired; no name is kept longer than a day. */
const GRACE_MS = 5_000;
const MAX_TTL_S = 86_400;

export class AddressBook {
  readonly #names = new BoundedMap<string, Map<string, number>>(MAX_ADDRESSES);

  note({ name, address, ttlSeconds }: Answer, nowMs: number): void {
    const names = this.#names.get(address) ?? new Map<string, number>();
    names.set(name, nowMs + Math.min(ttlSeconds, MAX_TTL_S) * 1_000 + GRACE_MS);
    this.#names.set(address, names);
  }

  namesOf(address: string, nowMs: number): string[] {
    const names = this.#names.get(address);
    if (!names) return [];
    for (const [name, until] of names) if (until < nowMs) names.delete(name);
    if (names.size === 0) this.#names.delete(address);
    return [...names.keys()];
  }
}
