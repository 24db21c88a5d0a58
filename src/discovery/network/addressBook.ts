/** Which names an address has been the answer for: as long as the answer said, and bounded. */
import type { Answer } from './dnsMessage.ts';

const MAX_ADDRESSES = 16_384;
/** A connection may be made a little after the answer's time is up, and nobody needs a name for longer than a day. */
const GRACE_MS = 5_000;
const MAX_TTL_S = 86_400;

export class AddressBook {
  readonly #names = new Map<string, Map<string, number>>();

  note({ name, address, ttlSeconds }: Answer, nowMs: number): void {
    const names = this.#names.get(address) ?? new Map<string, number>();
    names.set(name, nowMs + Math.min(ttlSeconds, MAX_TTL_S) * 1_000 + GRACE_MS);
    this.#names.delete(address);
    this.#names.set(address, names);
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= MAX_ADDRESSES) break;
      this.#names.delete(oldest);
    }
  }

  namesOf(address: string, nowMs: number): string[] {
    const names = this.#names.get(address);
    if (!names) return [];
    for (const [name, until] of names) if (until < nowMs) names.delete(name);
    if (names.size === 0) this.#names.delete(address);
    return [...names.keys()];
  }
}
