/** Parses fields of `/proc/ID/status`. */

/** Id of the process that a thread belongs to; NaN when the field is missing. */
export function threadGroupOf(status: string): number {
  return Number(/^Tgid:\t(\d+)/m.exec(status)?.[1] ?? Number.NaN);
}

/** Id of the effective user; undefined when the field is missing. */
export function effectiveUserOf(status: string): string | undefined {
  return /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1];
}

/** The effective capabilities, one bit each. */
export function effectiveCapabilitiesOf(status: string): bigint {
  return BigInt(`0x${/^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}
