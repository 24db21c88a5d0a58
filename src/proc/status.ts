/** Fields of `/proc/ID/status`, out of its text. */

/** The process that a thread belongs to; NaN where that is not said. */
export function threadGroupOf(status: string): number {
  return Number(/^Tgid:\t(\d+)/m.exec(status)?.[1] ?? Number.NaN);
}

/** The id of the effective user; undefined where that is not said. */
export function effectiveUserOf(status: string): string | undefined {
  return /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1];
}

/** The effective capabilities, a bit each. */
export function effectiveCapabilitiesOf(status: string): bigint {
  return BigInt(`0x${/^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}
