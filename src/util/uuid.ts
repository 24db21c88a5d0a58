import { readFileSync } from 'node:fs';

/**
 * A random UUID (version 4), from the kernel. `node:crypto` makes one as well, but loading it takes longer than tuning a
 * command, which `taut run` holds for so long.
 */
export function uuid(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
  } catch {
    return process.getBuiltinModule('node:crypto').randomUUID(); // there is no /proc/sys, as in some containers
  }
}
