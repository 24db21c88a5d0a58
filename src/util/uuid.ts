import { readFileSync } from 'node:fs';

/** Bits of an id that count. The other 74 random bits tell this process's ids from all others. */
const COUNTED = 2n ** 48n;

let prefix: string | undefined;
let last = 0n;

/**
 * An id in the form of a UUID (version 4), unlike any other. The first is the kernel's; of later ones the last 48 bits count
 * on from there, as to ask the kernel again takes a third of the time in which an agent is tuned.
 */
export function uuid(): string {
  if (prefix === undefined) {
    const first = randomUuid();
    prefix = first.slice(0, -12);
    last = BigInt(`0x${first.slice(-12)}`);
  } else last = (last + 1n) % COUNTED;
  return prefix + last.toString(16).padStart(12, '0');
}

/** `node:crypto` makes one as well, but loading it takes longer than tuning a command, which `taut run` holds for so long. */
function randomUuid(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
  } catch {
    return process.getBuiltinModule('node:crypto').randomUUID(); // there is no /proc/sys, as in some containers
  }
}
